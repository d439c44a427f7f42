// Client certificates: which authorities a TLS context trusts, names to clients and has revoked. And the session id context,
// which keeps a session from being resumed where its client would have been asked for another certificate.
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509_vfy.h>

#include "seawall/tls/context_parts.h"
#include "seawall/tls/error.h"

namespace seawall {
namespace {

// The handshake succeeds either way; SSL_get_verify_result has the verdict for the request.
int note_only(int, X509_STORE_CTX*) { return 1; }

bool is_named(const STACK_OF(X509_NAME)* names, const X509_NAME* name) {
  for (int i = 0; i < sk_X509_NAME_num(names); ++i)
    if (X509_NAME_cmp(sk_X509_NAME_value(names, i), name) == 0) return true;
  return false;
}

void add_authorities(SSL_CTX* ctx, const std::string& name, const PemFiles& files, STACK_OF(X509_NAME)* named) {
  std::vector<X509Ptr> authorities;
  try {
    authorities = parse_authorities(files.text(name));
  } catch (const TlsError& error) {
    throw TlsError("cannot load certificate \"" + shown(name) + "\": " + error.what());
  }
  for (const X509Ptr& authority : authorities) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), authority.get()) != 1)
      throw_openssl("X509_STORE_add_cert(\"" + shown(name) + "\")");
    const X509_NAME* const subject = X509_get_subject_name(authority.get());
    if (!named || is_named(named, subject)) continue;
    X509_NAME* const copy = X509_NAME_dup(subject);
    if (!copy || sk_X509_NAME_push(named, copy) == 0) throw_openssl("X509_NAME_dup()");
  }
}

void add_crls(SSL_CTX* ctx, const std::string& name, const PemFiles& files) {
  std::vector<CrlPtr> crls;
  try {
    crls = parse_crls(files.text(name));
  } catch (const TlsError& error) {
    throw TlsError("cannot load CRL \"" + shown(name) + "\": " + error.what());
  }
  X509_STORE* const store = SSL_CTX_get_cert_store(ctx);
  for (const CrlPtr& crl : crls)
    if (X509_STORE_add_crl(store, crl.get()) != 1) throw_openssl("X509_STORE_add_crl(\"" + shown(name) + "\")");
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
}

// Of everything that decides who a session's two ends are.
class SessionContext {
 public:
  SessionContext() : digest_(EVP_MD_CTX_new()) {
    if (!digest_ || EVP_DigestInit_ex(digest_.get(), EVP_sha256(), nullptr) != 1) throw_openssl("EVP_DigestInit_ex()");
  }
  void add(std::string_view bytes) {
    const std::uint64_t size = bytes.size();
    EVP_DigestUpdate(digest_.get(), &size, sizeof size);
    EVP_DigestUpdate(digest_.get(), bytes.data(), bytes.size());
  }
  void give(SSL_CTX* ctx) {
    unsigned char value[EVP_MAX_MD_SIZE];
    EVP_DigestFinal_ex(digest_.get(), value, nullptr);
    if (SSL_CTX_set_session_id_context(ctx, value, SSL_MAX_SID_CTX_LENGTH) != 1) throw_openssl("SSL_CTX_set_session_id_context()");
  }

 private:
  std::unique_ptr<EVP_MD_CTX, OpensslFree<EVP_MD_CTX_free>> digest_;
};

void set_session_context(SSL_CTX* ctx, const TlsSettings& s, const PemFiles& files) {
  SessionContext context;
  for (const TlsSettings::Pair& pair : s.pairs) context.add(s.pairs_vary ? pair.certificate : files.text(pair.certificate));
  context.add(std::to_string(s.verify != VerifyClient::off) + std::to_string(s.verify_depth));
  const auto add_file = [&](const std::string& name) { context.add(name.empty() ? std::string() : files.text(name)); };
  if (s.verify != VerifyClient::off) add_file(s.client_certificate);  // else it is not even looked for, as in nginx
  add_file(s.trusted_certificate);
  add_file(s.crl);
  context.give(ctx);
}

}  // namespace

void set_verification(SSL_CTX* ctx, const TlsSettings& s, const PemFiles& files) {
  if (s.verify != VerifyClient::off) {
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, note_only);
    if (!s.client_certificate.empty()) {
      SSL_CTX_set_client_CA_list(ctx, sk_X509_NAME_new_null());
      add_authorities(ctx, s.client_certificate, files, SSL_CTX_get_client_CA_list(ctx));
    }
  }
  SSL_CTX_set_verify_depth(ctx, s.verify_depth);
  if (!s.trusted_certificate.empty()) add_authorities(ctx, s.trusted_certificate, files, nullptr);
  if (!s.crl.empty()) add_crls(ctx, s.crl, files);
  set_session_context(ctx, s, files);
}

}  // namespace seawall
