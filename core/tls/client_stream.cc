#include "seawall/tls/client_stream.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>

#include "seawall/tls/error.h"

namespace seawall {
namespace {

constexpr std::size_t kRecord = 16 * 1024;

int stream_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

void load_own(SSL_CTX* ctx, const TlsClientSettings& s) {
  const PemFiles files;
  try {
    const CertificateChain chain = parse_certificate(files.text(s.certificate));
    if (SSL_CTX_use_certificate(ctx, chain.leaf.get()) != 1) throw_openssl("SSL_CTX_use_certificate()");
    for (const X509Ptr& other : chain.others)
      if (SSL_CTX_add1_chain_cert(ctx, other.get()) != 1) throw_openssl("SSL_CTX_add1_chain_cert()");
  } catch (const TlsError& error) {
    throw TlsError("cannot load certificate \"" + s.certificate + "\": " + error.what());
  }
  try {
    const KeyPtr key = parse_key(files.text(s.key), s.passwords);
    if (SSL_CTX_use_PrivateKey(ctx, key.get()) != 1) throw_openssl("SSL_CTX_use_PrivateKey()");
  } catch (const TlsError& error) {
    throw TlsError("cannot load certificate key \"" + s.key + "\": " + error.what());
  }
}

void load_trusted(SSL_CTX* ctx, const TlsClientSettings& s) {
  const PemFiles files;
  X509_STORE* const store = SSL_CTX_get_cert_store(ctx);
  try {
    for (const X509Ptr& authority : parse_authorities(files.text(s.trusted_certificate)))
      if (X509_STORE_add_cert(store, authority.get()) != 1) throw_openssl("X509_STORE_add_cert()");
  } catch (const TlsError& error) {
    throw TlsError("cannot load certificate \"" + s.trusted_certificate + "\": " + error.what());
  }
  if (s.crl.empty()) return;
  try {
    for (const CrlPtr& crl : parse_crls(files.text(s.crl)))
      if (X509_STORE_add_crl(store, crl.get()) != 1) throw_openssl("X509_STORE_add_crl()");
  } catch (const TlsError& error) {
    throw TlsError("cannot load CRL \"" + s.crl + "\": " + error.what());
  }
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
}

void set_versions(SSL_CTX* ctx, const TlsClientSettings& s) {
  SSL_CTX_set_min_proto_version(ctx, s.min_version);
  SSL_CTX_set_max_proto_version(ctx, s.max_version);
  for (const int version : s.disabled_versions) {
    if (version == TLS1_VERSION) SSL_CTX_set_options(ctx, SSL_OP_NO_TLSv1);
    if (version == TLS1_1_VERSION) SSL_CTX_set_options(ctx, SSL_OP_NO_TLSv1_1);
    if (version == TLS1_2_VERSION) SSL_CTX_set_options(ctx, SSL_OP_NO_TLSv1_2);
  }
  if (SSL_CTX_set_cipher_list(ctx, s.ciphers.c_str()) != 1) throw_openssl("SSL_CTX_set_cipher_list(\"" + s.ciphers + "\")");
}

void run_commands(SSL_CTX* ctx, const TlsClientSettings& s) {
  if (s.commands.empty()) return;
  const std::unique_ptr<SSL_CONF_CTX, OpensslFree<SSL_CONF_CTX_free>> conf(SSL_CONF_CTX_new());
  if (!conf) throw_openssl("SSL_CONF_CTX_new()");
  SSL_CONF_CTX_set_flags(conf.get(), SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_CLIENT | SSL_CONF_FLAG_CERTIFICATE | SSL_CONF_FLAG_SHOW_ERRORS);
  SSL_CONF_CTX_set_ssl_ctx(conf.get(), ctx);
  for (const auto& [name, value] : s.commands)
    if (SSL_CONF_cmd(conf.get(), name.c_str(), value.c_str()) <= 0) throw_openssl("SSL_CONF_cmd(\"" + name + "\", \"" + value + "\")");
  if (SSL_CONF_CTX_finish(conf.get()) != 1) throw_openssl("SSL_CONF_finish()");
}

bool is_address(const std::string& name) {
  unsigned char bytes[16];
  return ::inet_pton(AF_INET, name.c_str(), bytes) == 1 || ::inet_pton(AF_INET6, name.c_str(), bytes) == 1 || name.starts_with('[');
}

}  // namespace

// OpenSSL's callbacks, which see a stream from inside.
struct TlsClientCallbacks {
  static TlsClientStream& of(BIO* bio) { return *static_cast<TlsClientStream*>(BIO_get_data(bio)); }

  static int bio_write(BIO* bio, const char* data, int size) {
    TlsClientStream& self = of(bio);
    BIO_clear_retry_flags(bio);
    const iovec piece{const_cast<char*>(data), static_cast<std::size_t>(size)};
    self.last_ = self.socket_.try_write({&piece, 1});
    if (self.last_.kind == Io::done) return static_cast<int>(self.last_.n);
    if (self.last_.kind == Io::want_write) BIO_set_retry_write(bio);
    return -1;
  }
  static int bio_read(BIO* bio, char* data, int size) {
    TlsClientStream& self = of(bio);
    BIO_clear_retry_flags(bio);
    self.last_ = self.socket_.try_read({data, static_cast<std::size_t>(size)});
    if (self.last_.kind == Io::done) return static_cast<int>(self.last_.n);
    if (self.last_.kind == Io::want_read) BIO_set_retry_read(bio);
    return self.last_.kind == Io::eof ? 0 : -1;
  }
  static long bio_ctrl(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }
  static BIO_METHOD* bio_method() {
    static BIO_METHOD* const method = [] {
      BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "seawall upstream");
      BIO_meth_set_write(m, bio_write);
      BIO_meth_set_read(m, bio_read);
      BIO_meth_set_ctrl(m, bio_ctrl);
      return m;
    }();
    return method;
  }
  static int new_session(SSL* ssl, SSL_SESSION* session) {
    auto& self = *static_cast<TlsClientStream*>(SSL_get_ex_data(ssl, stream_index()));
    if (!self.on_session) return 0;
    self.on_session(SessionPtr(session));
    return 1;
  }
};

TlsClientContext::TlsClientContext(const TlsClientSettings& s) : context_(SSL_CTX_new(TLS_client_method())) {
  ERR_clear_error();
  SSL_CTX* const ctx = get();
  if (!ctx) throw_openssl("SSL_CTX_new()");
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(ctx, 1);
  SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  set_versions(ctx, s);
  if (!s.certificate.empty()) load_own(ctx, s);
  SSL_CTX_set_verify_depth(ctx, s.verify_depth);
  if (!s.trusted_certificate.empty()) load_trusted(ctx, s);
  if (s.keeps_sessions) {
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, TlsClientCallbacks::new_session);
  }
  if (!s.alpn.empty()) SSL_CTX_set_alpn_protos(ctx, reinterpret_cast<const unsigned char*>(s.alpn.data()), static_cast<unsigned>(s.alpn.size()));
  run_commands(ctx, s);
}

TlsClientStream::TlsClientStream(Fd fd, const TlsClientContext& context) : Stream(std::move(fd)), ssl_(SSL_new(context.get())) {
  CHECK(ssl_);
  SSL_set_ex_data(ssl(), stream_index(), this);
  BIO* bio = BIO_new(TlsClientCallbacks::bio_method());
  CHECK(bio);
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl(), bio, bio);
  SSL_set_connect_state(ssl());
}

TlsClientStream::~TlsClientStream() { SSL_set_shutdown(ssl(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN); }

void TlsClientStream::set_server_name(const std::string& name) {
  if (!name.empty() && !is_address(name)) SSL_set_tlsext_host_name(ssl(), name.c_str());
}

void TlsClientStream::resume(SSL_SESSION* session) { SSL_set_session(ssl(), session); }

Io TlsClientStream::io_of(int result) {
  switch (SSL_get_error(ssl(), result)) {
    case SSL_ERROR_WANT_READ: return Io::wants_read();
    case SSL_ERROR_WANT_WRITE: return Io::wants_write();
    case SSL_ERROR_ZERO_RETURN: return Io::ended();
    case SSL_ERROR_SYSCALL:
      ERR_clear_error();
      if (last_.kind == Io::failed) return last_;
      return Io::ended();
    default:
      error_text_ = openssl_errors();
      return Io::fail(0);
  }
}

Task<Result<void>> TlsClientStream::handshake(Deadline deadline) {
  for (;;) {
    ERR_clear_error();
    const int result = SSL_do_handshake(ssl());
    if (result == 1) break;
    const Io io = io_of(result);
    if (io.kind != Io::want_read && io.kind != Io::want_write) co_return error_of(io);
    const Errc waited = co_await wait_for(*this, io, deadline);
    if (waited != Errc::ok) co_return waited;
  }
  established_ = true;
  co_return Result<void>();
}

std::string TlsClientStream::verify(const std::string& name) const {
  const long verdict = SSL_get_verify_result(ssl());
  if (verdict != X509_V_OK)
    return "upstream SSL certificate verify error: (" + std::to_string(verdict) + ":" + X509_verify_cert_error_string(verdict) + ")";
  X509* const certificate = SSL_get0_peer_certificate(ssl());
  const bool matches = certificate && (X509_check_host(certificate, name.data(), name.size(), 0, nullptr) == 1 ||
                                       X509_check_ip_asc(certificate, name.c_str(), 0) == 1);
  return matches ? std::string() : "upstream SSL certificate does not match \"" + name + "\"";
}

Io TlsClientStream::try_read(std::span<char> room) {
  ERR_clear_error();
  std::size_t n = 0;
  const int result = SSL_read_ex(ssl(), room.data(), room.size(), &n);
  return result == 1 ? Io::of(n) : io_of(result);
}

// Small pieces share a record: a head and its body go in one.
Io TlsClientStream::try_write(std::span<const iovec> pieces) {
  while (!pieces.empty() && pieces.front().iov_len == 0) pieces = pieces.subspan(1);
  if (pieces.empty()) return Io::of(0);
  const char* data = static_cast<const char*>(pieces.front().iov_base);
  std::size_t size = std::min(pieces.front().iov_len, kRecord);
  if (pieces.size() > 1 && size < kRecord) {
    char* const record = Loop::current().scratch().data();
    size = 0;
    for (const iovec& piece : pieces) {
      const std::size_t n = std::min(piece.iov_len, kRecord - size);
      if (n > 0) std::memcpy(record + size, piece.iov_base, n);
      size += n;
      if (size == kRecord) break;
    }
    data = record;
  }
  ERR_clear_error();
  std::size_t n = 0;
  const int result = SSL_write_ex(ssl(), data, size, &n);
  return result == 1 ? Io::of(n) : io_of(result);
}

void TlsClientStream::end() {
  if (established_) {
    ERR_clear_error();
    SSL_shutdown(ssl());
    ERR_clear_error();
  }
  socket_.shut_down_writing();
}

}  // namespace seawall
