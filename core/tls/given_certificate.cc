#include "seawall/tls/given_certificate.h"

#include "seawall/tls/context.h"
#include "seawall/tls/error.h"
#include "seawall/tls/pem.h"

namespace seawall {
namespace {

void check(const GivenCertificate::Pair& pair) {
  const CertificateChain chain = parse_certificate(pair.certificate);
  const KeyPtr key = parse_key(pair.key, {});
  if (X509_check_private_key(chain.leaf.get(), key.get()) != 1) throw_openssl("X509_check_private_key()");
}

}  // namespace

std::optional<GivenCertificate::Pair> GivenCertificate::pair() const {
  const std::lock_guard lock(mutex_);
  return pair_;
}

void GivenCertificate::add(const std::shared_ptr<TlsContext>& context) {
  const std::lock_guard lock(mutex_);
  contexts_.push_back(context);
}

void GivenCertificate::give(Pair pair) {
  check(pair);
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
