// A TLS client whose bytes go through the test's hands, so that it can hold them back or stop in the middle of a record.
//
//   TlsBytes tls;
//   std::string hello = tls.handshake("");            // to send
//   std::string finished = tls.handshake(what_came);  // to send; tls.done()
//   c.send(tls.seal("GET / ..."));
#pragma once
#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

namespace test {

class TlsBytes {
 public:
  explicit TlsBytes(int max_version = 0);
  // Resumes, with early data in what the first handshake() says.
  TlsBytes(SSL_SESSION* session, std::string_view early_data);
  std::string handshake(std::string_view came);  // what there is to send now; empty: more must come
  bool done() const { return SSL_is_init_finished(ssl_.get()); }
  std::string seal(std::string_view plain);
  std::string open(std::string_view came);       // the plain text that has come whole

 private:
  std::string output();
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  BIO* in_;   // of ssl_
  BIO* out_;
};

}  // namespace test
