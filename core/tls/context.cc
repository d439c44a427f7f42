#include "seawall/tls/context.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "seawall/base/check.h"
#include "seawall/tls/error.h"
#include "seawall/tls/tls_stream.h"

namespace seawall {
namespace {

// Mozilla Intermediate's six ECDHE suites; the server's order counts, but a client that puts ChaCha20 first has no fast
// AES and gets ChaCha20.
constexpr const char* kIntermediate =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kSuites13 = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

struct Passwords {
  const std::vector<std::string>* list;
  std::size_t next = 0;
};

int next_password(char* buffer, int size, int, void* data) {
  auto& passwords = *static_cast<Passwords*>(data);
  if (passwords.next >= passwords.list->size()) return 0;
  const std::string& word = (*passwords.list)[passwords.next];
  if (static_cast<int>(word.size()) > size) return 0;
  word.copy(buffer, word.size());
  return static_cast<int>(word.size());
}

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;

[[noreturn]] void fail(const std::string& what) { throw TlsError(what + " failed " + openssl_errors()); }

Bio open_pem(const std::string& path, const std::string& what) {
  Bio bio(BIO_new_file(path.c_str(), "r"), BIO_free);
  if (!bio) throw TlsError("cannot load " + what + " \"" + path + "\": BIO_new_file() failed " + openssl_errors());
  return bio;
}

void load_certificate(SSL_CTX* ctx, const std::string& path) {
  const std::string cannot = "cannot load certificate \"" + path + "\": ";
  Bio bio = open_pem(path, "certificate");
  std::unique_ptr<X509, decltype(&X509_free)> leaf(PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr), X509_free);
  if (!leaf) fail(cannot + "PEM_read_bio_X509_AUX()");
  if (SSL_CTX_use_certificate(ctx, leaf.get()) != 1)
    throw TlsError("SSL_CTX_use_certificate(\"" + path + "\") failed " + openssl_errors());
  SSL_CTX_clear_chain_certs(ctx);
  while (X509* extra = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    if (SSL_CTX_add0_chain_cert(ctx, extra) == 1) continue;
    X509_free(extra);
    fail(cannot + "SSL_CTX_add0_chain_cert()");
  }
  const auto error = ERR_peek_last_error();
  if (error && !(ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE))
    fail(cannot + "PEM_read_bio_X509()");
  ERR_clear_error();
}

void load_key(SSL_CTX* ctx, const std::string& path, const std::vector<std::string>& words) {
  Passwords passwords{&words};
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(nullptr, EVP_PKEY_free);
  do {
    Bio bio = open_pem(path, "certificate key");
    key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, next_password, &passwords));
  } while (!key && ++passwords.next < words.size());
  if (!key) fail("cannot load certificate key \"" + path + "\": PEM_read_bio_PrivateKey()");
  if (SSL_CTX_use_PrivateKey(ctx, key.get()) != 1)
    throw TlsError("SSL_CTX_use_PrivateKey(\"" + path + "\") failed " + openssl_errors());
}

void set_versions(SSL_CTX* ctx, const TlsSettings& s) {
  SSL_CTX_set_min_proto_version(ctx, s.min_version);
  SSL_CTX_set_max_proto_version(ctx, s.max_version);
  for (int version : s.disabled_versions) {
    if (version == TLS1_VERSION) SSL_CTX_set_options(ctx, SSL_OP_NO_TLSv1);
    if (version == TLS1_1_VERSION) SSL_CTX_set_options(ctx, SSL_OP_NO_TLSv1_1);
    if (version == TLS1_2_VERSION) SSL_CTX_set_options(ctx, SSL_OP_NO_TLSv1_2);
  }
}

void set_ciphers(SSL_CTX* ctx, const TlsSettings& s) {
  const std::string list = s.ciphers.empty() ? kIntermediate : s.ciphers;
  if (SSL_CTX_set_cipher_list(ctx, list.c_str()) != 1) fail("SSL_CTX_set_cipher_list(\"" + list + "\")");
  if (SSL_CTX_set_ciphersuites(ctx, kSuites13) != 1) fail("SSL_CTX_set_ciphersuites()");
  if (s.prefer_server_ciphers) SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  const std::string groups = s.groups == "auto" ? "X25519:P-256" : s.groups;
  if (SSL_CTX_set1_groups_list(ctx, groups.c_str()) != 1) fail("SSL_CTX_set1_groups_list(\"" + groups + "\")");
  if (s.dhparam.empty()) return;
  Bio bio = open_pem(s.dhparam, "DH parameters");
  EVP_PKEY* dh = PEM_read_bio_Parameters(bio.get(), nullptr);
  if (!dh) fail("PEM_read_bio_Parameters(\"" + s.dhparam + "\")");
  if (SSL_CTX_set0_tmp_dh_pkey(ctx, dh) != 1) {
    EVP_PKEY_free(dh);
    fail("SSL_CTX_set0_tmp_dh_pkey(\"" + s.dhparam + "\")");
  }
}

void set_sessions(SSL_CTX* ctx, const TlsSettings& s) {
  static const unsigned char id[] = "seawall";
  SSL_CTX_set_session_id_context(ctx, id, sizeof id - 1);
  SSL_CTX_set_session_cache_mode(ctx, s.session_cache ? SSL_SESS_CACHE_SERVER : SSL_SESS_CACHE_OFF);
  SSL_CTX_sess_set_cache_size(ctx, s.session_cache_entries);
  SSL_CTX_set_timeout(ctx, s.session_timeout.count());
  // One TLS 1.3 ticket a handshake: each costs 13 us of CPU, and a resumed connection brings the next one.
  SSL_CTX_set_num_tickets(ctx, 1);
  if (!s.session_tickets) {
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    if (!s.session_cache) SSL_CTX_set_num_tickets(ctx, 0);
  }
}

}  // namespace

std::string openssl_errors() {
  std::string text;
  while (const unsigned long error = ERR_get_error()) {
    char line[256];
    ERR_error_string_n(error, line, sizeof line);
    text += text.empty() ? "(SSL: " : " ";
    text += line;
  }
  return text.empty() ? text : text + ")";
}

TlsContext::~TlsContext() { SSL_CTX_free(ctx_); }

std::shared_ptr<TlsContext> TlsContext::make(const TlsSettings& settings) {
  ERR_clear_error();
  SSL_CTX* ctx = SSL_CTX_new(TLS_server_method());
  if (!ctx) fail("SSL_CTX_new()");
  std::shared_ptr<TlsContext> context(new TlsContext(ctx));
  SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(ctx, 1);
  SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF |
                               SSL_OP_SINGLE_ECDH_USE);
  set_versions(ctx, settings);
  set_ciphers(ctx, settings);
  set_sessions(ctx, settings);
  for (std::size_t i = 0; i < settings.certificates.size(); ++i) {
    CHECK(i < settings.keys.size());
    load_certificate(ctx, settings.certificates[i]);
    load_key(ctx, settings.keys[i], settings.passwords);
  }
  context->has_certificate_ = !settings.certificates.empty();
  TlsStream::prepare(ctx);
  return context;
}

}  // namespace seawall
