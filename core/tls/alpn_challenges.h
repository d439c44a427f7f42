// AlpnChallenges: certificates that prove to a CA that we hold a name (tls-alpn-01, RFC 8737). A client gets one that asks for the
// name with the protocol acme-tls/1 and no other. One for the process; any thread.
#pragma once
#include <openssl/ssl.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "seawall/base/export.h"

namespace seawall {

inline constexpr std::string_view kAcmeTls = "acme-tls/1";

class SEAWALL_API AlpnChallenges {
 public:
  static AlpnChallenges& all();
  // PEM. TlsError: they make no sense.
  void add(const std::string& name, const std::string& certificate, const std::string& key);
  void remove(const std::string& name);

  // In OpenSSL's ClientHello callback: gives this handshake the certificate that it asks for. False: it asks for none of these.
  bool answer(SSL* ssl, std::string_view name);

 private:
  std::atomic<int> count_ = 0;  // a handshake looks no further while there are none
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<SSL_CTX>, std::less<>> contexts_;
};

}  // namespace seawall
