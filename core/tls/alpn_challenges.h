// AlpnChallenges: certificates that prove to a CA that we hold a name (tls-alpn-01, RFC 8737). A client gets one that asks for the
// name with the protocol acme-tls/1 and no other. One for the process; any thread.
#pragma once
#include <openssl/ssl.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "seawall/base/export.h"
#include "seawall/tls/given_certificate.h"

namespace seawall {

inline constexpr std::string_view kAcmeTls = "acme-tls/1";

class SEAWALL_API AlpnChallenges {
 public:
  static AlpnChallenges& all();
  // PEM. TlsError: they make no sense.
  void add(const std::string& name, const std::string& certificate, const std::string& key);
  void remove(const std::string& name);
  // Who may have others, and is asked by each handshake for one that is not here; an empty function: nobody.
  using Others = std::function<std::optional<GivenCertificate::Pair>(std::string_view name)>;
  void ask_too(Others others);

  // In OpenSSL's ClientHello callback: gives this handshake the certificate that it asks for. False: it asks for none of these.
  bool answer(SSL* ssl, std::string_view name);

 private:
  std::shared_ptr<SSL_CTX> find(const std::string& name);
  void look_further();

  std::atomic<bool> any_ = false;  // a handshake looks no further while there are none
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<SSL_CTX>, std::less<>> contexts_;
  std::shared_ptr<const Others> others_;  // ours, and of handshakes that are asking
};

}  // namespace seawall
