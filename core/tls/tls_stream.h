// TlsStream: the server's side of one TLS connection, over a socket. OpenSSL talks to a BIO of our own: reads come
// straight from the socket, records that are written gather in one buffer a thread and leave in one send (100 KiB cost
// .70 of SSL_set_fd's CPU, .58 with sends under 64 KiB). How its handshake goes is tls_handshake.cc. One loop.
#pragma once
#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "seawall/net/stream.h"
#include "seawall/tls/context.h"

namespace seawall {

// Where a handshake may stand still while somebody is asked: before anything of the client's hello is used; before certificates are.
enum class HandshakeStop : std::uint8_t { hello, certificates };

class TlsStream;

// Chooses the context by the name in the ClientHello; null refuses the handshake (unrecognized_name).
class SniSelector {
 public:
  virtual const TlsContext* select(std::string_view server_name) = 0;
  // Gives the connection its own certificates, where those of the context vary (TlsSettings::pairs_vary); false ends the
  // handshake.
  virtual bool load_certificates(SSL* ssl) = 0;
  // Is somebody to be asked there? For certificates also TlsSettings::pairs_asked; after load_certificates.
  virtual bool asks(HandshakeStop stop) const = 0;
  // Asks, and waits for the answer, for as long as the client is there; false ends the handshake.
  virtual Task<bool> ask(HandshakeStop stop, TlsStream& tls, Deadline deadline) = 0;
  // Asked after select: is HTTP/2 spoken there?
  virtual bool offers_h2() const = 0;

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
  bool has_buffered_input() const override { return !plain_ && (early_ || SSL_has_pending(ssl_)); }
  void end() override;

  // From now on no TLS: answers a client that spoke plain HTTP to a TLS port.
  void go_plain() { plain_ = true; }
  bool is_plain() const { return plain_; }

  SSL* ssl() const { return ssl_; }
  // In a hello's stop: SSL_OP_NO_* of the versions that are not spoken, whatever the server that the client names allows.
  void refuse_versions(std::uint64_t versions) { refused_versions_ = versions; }
  bool established() const { return established_; }
  // What ssl_ocsp has found against the client's certificate; null: nothing. `why` outlives the stream.
  void refuse_client(const char* why) { client_refusal_ = why; }
  const char* client_refusal() const { return client_refusal_; }
  const std::string& error_text() const { return error_text_; }
  int error_reason() const { return error_reason_; }  // OpenSSL's SSL_R_ number; 0: none
  std::string_view server_name() const;  // SNI, empty without
  std::string_view alpn() const;

  // Registers the callbacks that lead from an SSL_CTX to its streams; once per SSL_CTX, at start-up.
  static void prepare(SSL_CTX* ctx);
  // ... and the one that loads certificates for each connection.
  static void prepare_loading(SSL_CTX* ctx);

 private:
  friend struct TlsBio;
  friend struct TlsCallbacks;
  static int index();  // of the stream among an SSL's data
  enum class Asked : std::uint8_t { no, goes_on, ends };
  Asked& asked(HandshakeStop stop) { return asked_[static_cast<std::size_t>(stop)]; }
  bool stands_still(HandshakeStop stop);
  Task<Result<void>> ask(Deadline deadline);
  Io io_of(int result);
  Io send_gathered();
  Io read_early(std::span<char> room);
  Io take_early(std::span<char> room);
  bool write_record(const char* data, std::size_t size);
  std::size_t fixed_record_size();

  SSL* ssl_;
  SniSelector* selector_;
  std::string pending_;    // records the socket would not take yet
  std::string error_text_;
  std::unique_ptr<std::string> early_;  // early data that came with the handshake and has not been read
  Io last_read_ = Io::wants_read();
  std::int64_t last_write_ = 0;         // ns; for the length of records, as is
  std::uint32_t burst_ = 0;             // what was written since the last pause, up to a bound
  const char* client_refusal_ = nullptr;
  int error_reason_ = 0;
  int late_messages_ = 0;               // key updates and the like, since the handshake
  bool established_ = false;            // or far enough for early data
  bool plain_ = false;
  bool reads_early_ = false;            // more early data may come
  bool was_early_ = false;              // some has come: the handshake may not be over yet
  std::optional<HandshakeStop> due_;    // the handshake stands still there
  Asked asked_[2] = {};                 // of each HandshakeStop
  std::optional<std::uint64_t> refused_versions_;
};

}  // namespace seawall
