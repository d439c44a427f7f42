// TlsStream: the server's side of one TLS connection, over a socket. OpenSSL talks to a BIO of our own: reads come
// straight from the socket, records that are written gather in one buffer a thread and leave in one send (100 KiB cost
// .70 of SSL_set_fd's CPU, .58 with sends under 64 KiB). One loop.
#pragma once
#include <openssl/ssl.h>

#include <string>
#include <string_view>

#include "seawall/net/stream.h"
#include "seawall/tls/context.h"

namespace seawall {

// Chooses the context by the name in the ClientHello; null refuses the handshake (unrecognized_name).
class SniSelector {
 public:
  virtual const TlsContext* select(std::string_view server_name) = 0;

 protected:
  ~SniSelector() = default;
};

class SEAWALL_API TlsStream final : public Stream {
 public:
  // `selector` must outlive the handshake.
  TlsStream(Fd fd, const TlsContext& context, SniSelector& selector);
  ~TlsStream() override;

  // Errors: timed_out, cancelled, peer_closed, peer_reset, tls_failed (error_text says why), plain_on_tls (nothing was
  // consumed: plain() then reads what the client sent).
  Task<Result<void>> handshake(Deadline deadline);

  Io try_read(std::span<char> room) override;
  Io try_write(std::span<const iovec> pieces) override;
  Io try_flush() override;
  bool sends_files() const override { return plain_; }
  bool has_buffered_input() const override { return !plain_ && SSL_has_pending(ssl_); }
  void end() override;

  // From now on no TLS: answers a client that spoke plain HTTP to a TLS port.
  void go_plain() { plain_ = true; }
  bool is_plain() const { return plain_; }

  SSL* ssl() const { return ssl_; }
  bool established() const { return established_; }
  const std::string& error_text() const { return error_text_; }
  std::string_view server_name() const;  // SNI, empty without
  std::string_view alpn() const;

  // Registers the callbacks that lead from an SSL_CTX to its streams; once per SSL_CTX, at start-up.
  static void prepare(SSL_CTX* ctx);

 private:
  friend struct TlsCallbacks;
  Io io_of(int result);
  Io send_gathered();

  SSL* ssl_;
  SniSelector* selector_;
  std::string pending_;    // records the socket would not take yet
  std::string error_text_;
  Io last_read_ = Io::wants_read();
  bool established_ = false;
  bool plain_ = false;
};

}  // namespace seawall
