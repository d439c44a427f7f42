// TlsClientStream: our side of a TLS connection to a server, over a socket that is connected. Reads and writes go straight to the
// socket, a record at a time. One loop.
//
//   TlsClientStream tls(std::move(fd), context);
//   tls.set_server_name("example.com");
//   Result<void> done = co_await tls.handshake(deadline);
#pragma once
#include <openssl/ssl.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "seawall/net/stream.h"
#include "seawall/tls/pem.h"

namespace seawall {

using SessionPtr = std::unique_ptr<SSL_SESSION, OpensslFree<SSL_SESSION_free>>;

class TlsClientSettings {
 public:
  std::string certificate, key;              // ours, PEM; empty: none, or given to each stream
  std::vector<std::string> passwords;
  int min_version = TLS1_2_VERSION, max_version = TLS1_3_VERSION;
  std::vector<int> disabled_versions;
  std::string ciphers = "DEFAULT";
  std::string trusted_certificate, crl;
  int verify_depth = 1;
  std::vector<std::pair<std::string, std::string>> commands;
  bool keeps_sessions = true;
  std::string alpn;                          // what is offered, in wire format: "\x02h2"; empty: nothing is
};

// Shared by all connections of one kind. TlsError in nginx's wording. Any loop once made.
class SEAWALL_API TlsClientContext {
 public:
  explicit TlsClientContext(const TlsClientSettings& settings);
  SSL_CTX* get() const { return context_.get(); }

 private:
  std::unique_ptr<SSL_CTX, OpensslFree<SSL_CTX_free>> context_;
};

class SEAWALL_API TlsClientStream final : public Stream {
 public:
  TlsClientStream(Fd fd, const TlsClientContext& context);
  ~TlsClientStream() override;

  // Before the handshake.
  void set_server_name(const std::string& name);  // SNI; not for addresses
  void resume(SSL_SESSION* session);
  // Called with each session that the server lets be resumed, as long as the stream lives.
  std::function<void(SessionPtr)> on_session;

  // Errors: timed_out, cancelled, peer_closed, peer_reset, tls_failed (error_text says why).
  Task<Result<void>> handshake(Deadline deadline);
  // After it: nothing, or what is wrong with the server's certificate in nginx's words.
  std::string verify(const std::string& name) const;

  Io try_read(std::span<char> room) override;
  Io try_write(std::span<const iovec> pieces) override;
  Io try_flush() override { return Io::of(0); }
  bool sends_files() const override { return false; }
  bool has_buffered_input() const override { return SSL_has_pending(ssl_.get()); }
  void end() override;

  SSL* ssl() const { return ssl_.get(); }
  const std::string& error_text() const { return error_text_; }

 private:
  friend struct TlsClientCallbacks;
  Io io_of(int result);

  std::unique_ptr<SSL, OpensslFree<SSL_free>> ssl_;
  std::string error_text_;
  Io last_ = Io::of(0);
  bool established_ = false;
};

}  // namespace seawall
