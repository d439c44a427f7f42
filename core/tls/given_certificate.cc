#include "seawall/tls/given_certificate.h"

#include "seawall/tls/check_pair.h"
#include "seawall/tls/context.h"
#include "seawall/tls/error.h"
#include "seawall/tls/pem.h"

namespace seawall {

void check_pair(const GivenCertificate::Pair& pair) {
  const CertificateChain chain = parse_certificate(pair.certificate);
  const KeyPtr key = parse_key(pair.key, {});
  const std::unique_ptr<SSL_CTX, OpensslFree<SSL_CTX_free>> context(SSL_CTX_new(TLS_server_method()));
  if (!context) throw_openssl("SSL_CTX_new()");
  if (SSL_CTX_use_certificate(context.get(), chain.leaf.get()) != 1) throw_openssl("SSL_CTX_use_certificate()");
  for (const X509Ptr& other : chain.others)
    if (SSL_CTX_add1_chain_cert(context.get(), other.get()) != 1) throw_openssl("SSL_CTX_add1_chain_cert()");
  if (SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1) throw_openssl("SSL_CTX_use_PrivateKey()");
}

std::optional<GivenCertificate::Pair> GivenCertificate::pair() const {
  const std::lock_guard lock(mutex_);
  return pair_;
}

void GivenCertificate::add(const std::shared_ptr<TlsContext>& context) {
  const std::lock_guard lock(mutex_);
  contexts_.push_back(context);
}

void GivenCertificate::give(Pair pair) {
  check_pair(pair);
  std::vector<std::weak_ptr<TlsContext>> contexts;
  {
    const std::lock_guard lock(mutex_);
    pair_ = std::move(pair);
    is_there_ = true;
    contexts = contexts_;
  }
  for (const auto& one : contexts)
    if (const auto context = one.lock()) context->renew_given();
}

}  // namespace seawall
