// Certificates of one connection, and what a verdict about a client's means. Any loop.
#pragma once
#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <vector>

#include "seawall/base/export.h"
#include "seawall/tls/pem.h"

namespace seawall {

// A certificate, its chain and its key, for connections whose paths have variables.
class SEAWALL_API LoadedPair {
 public:
  // From the disk. TlsError in nginx's wording.
  static std::shared_ptr<const LoadedPair> load(const std::string& certificate, const std::string& key,
                                                const std::vector<std::string>& passwords);
  // Within OpenSSL's callback that asks for certificates. TlsError: they do not match.
  void give(SSL* ssl) const;

 private:
  std::string certificate_name_, key_name_;
  CertificateChain chain_;
  KeyPtr key_;
};

// Is a failed verification one that optional_no_ca lets pass: nobody here knows the authority?
SEAWALL_API bool is_authority_unknown(long verdict);

}  // namespace seawall
