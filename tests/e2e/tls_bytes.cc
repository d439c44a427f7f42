// See tls_bytes.h.
#include "e2e/tls_bytes.h"

#include <openssl/err.h>

namespace test {

TlsBytes::TlsBytes(int max_version)
    : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free), ssl_(SSL_new(context_.get()), SSL_free),
      in_(BIO_new(BIO_s_mem())), out_(BIO_new(BIO_s_mem())) {
  SSL_set_max_proto_version(ssl_.get(), max_version);
  SSL_set_tlsext_host_name(ssl_.get(), "localhost");
  SSL_set_bio(ssl_.get(), in_, out_);
  SSL_set_connect_state(ssl_.get());
}

TlsBytes::TlsBytes(SSL_SESSION* session, std::string_view early_data) : TlsBytes(0) {
  SSL_set_session(ssl_.get(), session);
  std::size_t sent = 0;
  SSL_write_early_data(ssl_.get(), early_data.data(), early_data.size(), &sent);
}

std::string TlsBytes::output() {
  std::string bytes(BIO_ctrl_pending(out_), '\0');
  if (!bytes.empty()) BIO_read(out_, bytes.data(), int(bytes.size()));
  return bytes;
}

std::string TlsBytes::handshake(std::string_view came) {
  if (!came.empty()) BIO_write(in_, came.data(), int(came.size()));
  ERR_clear_error();
  SSL_do_handshake(ssl_.get());
  return output();
}

std::string TlsBytes::seal(std::string_view plain) {
  SSL_write(ssl_.get(), plain.data(), int(plain.size()));
  return output();
}

std::string TlsBytes::open(std::string_view came) {
  if (!came.empty()) BIO_write(in_, came.data(), int(came.size()));
  std::string plain;
  char piece[4096];
  ERR_clear_error();
  for (int n = SSL_read(ssl_.get(), piece, sizeof piece); n > 0; n = SSL_read(ssl_.get(), piece, sizeof piece))
    plain.append(piece, std::size_t(n));
  return plain;
}

}  // namespace test
