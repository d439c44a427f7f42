// A client that sends exactly the bytes of the test, over TCP, a unix socket or TLS; the accepted side of an Upstream
// speaks through it too. Every wait is bounded; what does not come in time throws, with the bytes that did come in the
// message.
//
//   RawClient c(s.port());
//   c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
//   REQUIRE(c.read_response().status == 200);
//   REQUIRE(c.expect_close(5s));
#pragma once
#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "e2e/folder.h"
#include "seawall/base/fd.h"

namespace test {

class Response {
 public:
  Response() = default;
  explicit Response(std::string_view head_text);  // status line and header lines
  int status = 0;
  std::string head, body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string header(std::string_view name) const;  // the first of that name, whatever its case; "" when absent
  int count(std::string_view name) const;
};

class TlsOptions {
 public:
  std::string server_name = "localhost";  // "": no SNI
  int min_version = 0, max_version = 0;   // TLS1_2_VERSION ...; 0: the library's
  std::string alpn;                       // in wire format: "\x02h2\x08http/1.1"
  std::string ciphers, groups;            // OpenSSL's lists
  std::string sigalgs;
  std::shared_ptr<SSL_SESSION> session;   // to resume
  std::string certificate, key;           // the client's own, PEM
  int max_fragment = 0;                   // TLSEXT_max_fragment_length_512...: the longest record it takes (RFC 6066)
  bool ask_status = false;                // for a stapled OCSP response
  std::string early_data;                 // sent with the ClientHello; the session must allow it
};

class RawClient {
 public:
  // An address ("127.0.0.1", "::1") and port, or the path of a unix socket. A small receive buffer makes a slow reader.
  explicit RawClient(int port, const std::string& address = "127.0.0.1", int receive_buffer = 0);
  explicit RawClient(seawall::Fd connected) : fd_(std::move(connected)) {}

  void start_tls(const TlsOptions& options = {});  // throws with OpenSSL's reason when the handshake fails
  SSL* tls() const { return ssl_.get(); }
  // To resume with; TLS 1.3 sends tickets after the handshake: read a response first.
  std::shared_ptr<SSL_SESSION> session() const { return {SSL_get1_session(ssl_.get()), SSL_SESSION_free}; }

  void send(std::string_view bytes);
  std::string read_until(std::string_view token, Clock::duration within = kPatience);  // with the token
  std::string read(std::size_t size, Clock::duration within = kPatience);
  std::string read_all(Clock::duration within = kPatience);  // to the end
  bool sends_early_data() const { return SSL_get_early_data_status(ssl_.get()) == SSL_EARLY_DATA_ACCEPTED; }
  std::string staple() const;  // the OCSP response that came with the certificate; "" when none did
  // 1xx are responses of their own. `to_head`: the answer to HEAD, which has no body whatever its headers say.
  Response read_response(bool to_head = false, Clock::duration within = kPatience);
  // True when the other side closes in time; bytes that come before are kept for read_*.
  bool expect_close(Clock::duration within);
  bool was_reset() const { return reset_; }

  void half_close();  // no more bytes from us (TLS: close_notify too)
  void reset();       // RST
  int fd() const { return fd_.get(); }

 private:
  bool fill(Clock::time_point deadline);  // false at the end; throws when time is over
  int settle(int result, Clock::time_point deadline);
  void wait(short events, Clock::time_point deadline);
  std::string take(std::size_t size);
  std::string read_chunked(Clock::time_point deadline);

  seawall::Fd fd_;
  // A connection that ends without close_notify would otherwise make its session one that cannot be resumed.
  struct FreeSsl {
    void operator()(SSL* ssl) const {
      SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
      SSL_free(ssl);
    }
  };
  std::unique_ptr<SSL, FreeSsl> ssl_;
  std::string pending_;
  bool ended_ = false, reset_ = false;
};

}  // namespace test
