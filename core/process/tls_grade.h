// A server's TLS grade as SSL Labs would give it: A+ unless something keeps it lower. One thread.
#pragma once
#include <string>
#include <vector>

#include "seawall/tls/scan.h"

namespace seawall {

class TlsGrade {
 public:
  enum Rank { a_plus, a, a_minus, b, c, f, t };  // t: no browser trusts it

  void cap(Rank rank, std::string reason);
  Rank rank() const { return rank_; }
  static const char* name_of(Rank rank);
  struct Reason {
    Rank rank;
    std::string text;
  };
  const std::vector<Reason>& reasons() const { return reasons_; }

 private:
  Rank rank_ = a_plus;
  std::vector<Reason> reasons_;
};

// What versions, suites and groups deserve.
void grade_protocol(const TlsScan& scan, TlsGrade& grade);
// What a certificate deserves for these names of the server; `trusted` has the authorities.
void grade_certificate(const CertificateChain& chain, const std::vector<std::string>& names, X509_STORE* trusted, TlsGrade& grade);
// "CN=a, ECDSA 256 bits, sha256, until Feb  3 00:55:52 2027 GMT (90 days)".
std::string describe_certificate(X509* certificate);

}  // namespace seawall
