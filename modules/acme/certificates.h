// Requests for certificates, the certificates themselves, and those that we make: self-signed ones, and proofs for tls-alpn-01.
// Any thread. Errors: AcmeError.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "keys.h"
#include "seawall/tls/given_certificate.h"

namespace seawall::acme {

using Pair = GivenCertificate::Pair;

// PKCS #10 in DER, with these names.
std::string make_request(EVP_PKEY* key, const std::vector<std::string>& names);

// For clients until there is a better one, valid for a week from now on.
Pair make_self_signed(EVP_PKEY* key, const std::vector<std::string>& names);
// What proves that we answer for `name` (RFC 8737 3).
Pair make_alpn_proof(const std::string& name, const std::string& key_authorization);

class CertificateFacts {
 public:
  static CertificateFacts of(const std::string& pem);  // of the leaf
  std::int64_t not_before = 0, not_after = 0;          // seconds since 1970
  std::vector<std::string> names;                      // of subjectAltName, sorted
  std::string issuer;                                  // its common name, or all of it
  std::string serial;                                  // hex
  std::string renewal_id;  // what renewalInfo is asked for (RFC 9773 4.1); empty: the certificate does not say
  std::string der;
};

// AcmeError says why this chain cannot be served with the key for these names: another key, a name that is missing, a
// certificate of the chain that has not issued the one before it, or far too many of them.
void check_chain(const std::string& pem, EVP_PKEY* key, const std::vector<std::string>& names, std::int64_t now);
// The same chain as OpenSSL writes it: without comments, each certificate under the usual name.
std::string rewritten_chain(const std::string& pem);
// AcmeError says why TLS will not serve it.
void check_for_tls(const Pair& pair);
// The common name of who has issued the chain's last certificate.
std::string root_of(const std::string& pem);

}  // namespace seawall::acme
