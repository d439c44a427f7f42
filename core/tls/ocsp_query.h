// The status of one certificate, as the OCSP responder of its issuer tells it (RFC 6960): the question, and the judgement of an
// answer. Any thread.
#pragma once
#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "seawall/base/export.h"
#include "seawall/tls/pem.h"

namespace seawall {

enum class CertificateStatus : std::uint8_t { good, revoked, unknown };

// Who may have signed an answer: anybody; whom `store` trusts for it, or one of the chain; whom `store` trusts for it alone. The
// last where the chain is somebody else's: he could vouch for himself.
enum class OcspTrust : std::uint8_t { anybody, chain, store };

const char* name_of(CertificateStatus status);  // OpenSSL's words

class OcspAnswer {
 public:
  CertificateStatus status = CertificateStatus::unknown;
  std::int64_t valid_until = 0;  // seconds since 1970
};

class SEAWALL_API OcspQuery {
 public:
  // `chain`: certificates that the answer's signer may be found among.
  OcspQuery(X509Ptr certificate, X509Ptr issuer, std::vector<X509Ptr> chain, X509_STORE* store, OcspTrust trust);
  std::string request() const;    // DER in base64
  std::string responder() const;  // the URL in the certificate; empty: none
  std::string key() const;        // the same for the same certificate, and for no other
  // TlsError: what keeps it from being an answer.
  OcspAnswer judge(const std::string& der) const;

  static constexpr long kSkew = 300;  // of clocks, seconds

 private:
  struct StoreFree {
    void operator()(X509_STORE* store) const { X509_STORE_free(store); }
  };
  X509Ptr certificate_, issuer_;
  std::vector<X509Ptr> chain_;
  std::unique_ptr<X509_STORE, StoreFree> store_;
  const OcspTrust trust_;
};

std::string ocsp_url_in(X509* certificate);  // the first; empty: none

}  // namespace seawall
