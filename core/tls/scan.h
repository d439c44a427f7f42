// What a TLS context agrees to, found out by handshakes in memory: for seawall tls-check, without a running server. One thread.
#pragma once
#include <string>
#include <vector>

#include "seawall/tls/context.h"

namespace seawall {

class SEAWALL_API TlsScan {
 public:
  std::vector<std::string> versions;   // TLSv1 ... TLSv1.3
  std::vector<std::string> suites_12;  // of TLS 1.2 and older, OpenSSL's names
  std::vector<std::string> suites_13;
  std::vector<std::string> groups;
  std::vector<CertificateChain> certificates;  // as clients get them: one for each kind of key

  // Tries everything that OpenSSL knows. `name`: the server name that is asked for.
  static TlsScan of(const TlsContext& context, const std::string& name);
};

// What is weak in a suite of TLS 1.2 or older.
class SEAWALL_API SuiteWeakness {
 public:
  bool broken = false;          // no encryption, no authentication, RC4, export, DES
  bool small_blocks = false;    // 3DES
  bool no_forward_secrecy = false;
  bool cbc = false;
  static SuiteWeakness of(const std::string& suite);
};

}  // namespace seawall
