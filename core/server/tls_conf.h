// The ssl_* settings of http and server, and the context they make. Start-up thread.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "seawall/config/setting.h"
#include "seawall/tls/context.h"

namespace seawall {

class TlsVersions {
 public:
  int lowest = TLS1_2_VERSION, highest = TLS1_3_VERSION;
  std::vector<int> holes;
};

class TlsConf {
 public:
  Setting<bool> ssl{false};  // the old `ssl on`
  Setting<std::vector<std::string>> certificates;
  Setting<std::vector<std::string>> keys;
  Setting<std::string> password_file{std::string()};
  Setting<TlsVersions> protocols;
  Setting<std::string> ciphers{std::string()};
  Setting<bool> prefer_server_ciphers{true};
  Setting<std::string> ecdh_curve{std::string("auto")};
  Setting<std::string> dhparam{std::string()};
  Setting<bool> session_tickets{true};
  Setting<std::int64_t> session_cache{0};  // entries; 0: none
  Setting<std::chrono::milliseconds> session_timeout{std::chrono::milliseconds(300'000)};
  Setting<std::chrono::milliseconds> handshake_timeout{std::chrono::milliseconds(10'000)};
  Setting<bool> reject_handshake{false};
};

// The context of a server with these settings; servers that say the same share one. ConfigError in nginx's wording.
std::shared_ptr<TlsContext> make_tls_context(const TlsConf& conf);

}  // namespace seawall
