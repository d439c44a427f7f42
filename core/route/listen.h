// The directive `listen`: the addresses it names and what it says about them. Plain values; start-up thread.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "seawall/base/export.h"
#include "seawall/config/tree.h"
#include "seawall/net/address.h"
#include "seawall/route/listen_address.h"

namespace seawall {

class ListenOptions {
 public:
  enum class Keepalive : std::uint8_t { system, on, off };

  bool default_server = false;
  bool ssl = false, http2 = false, proxy_protocol = false;

  // What concerns the socket. nginx allows it once for an address (`set`), and each of these options makes it bind the
  // address itself even where a wildcard socket would serve it too (`bind`).
  bool set = false;
  bool bind = false;
  int backlog = 511;                    // nginx's on Linux
  std::int64_t rcvbuf = -1;             // bytes; -1: the system's
  std::int64_t sndbuf = -1;
  int fastopen = -1;                    // queue length; -1: off
  bool deferred = false;                // TCP_DEFER_ACCEPT
  bool ipv6only = true;
  bool reuseport = false;
  Keepalive so_keepalive = Keepalive::system;
  std::chrono::seconds keepidle{0};     // 0: the system's
  std::chrono::seconds keepintvl{0};
  int keepcnt = 0;
};

class Listen {
 public:
  std::vector<Address> addresses;
  ListenOptions options;
  Place place;  // for messages about it; set by who read the directive
};

// Reads `listen WORDS;`. ConfigError: see listen_addresses(); invalid parameter "X" and its kin in nginx's wording.
// Warns: the deprecated http2, multipath.
SEAWALL_API Listen parse_listen(const std::vector<std::string>& words,
                                const std::function<void(const std::string&)>& warn);

// Of a server without `listen`: *:80, or *:8000 for those who may not bind 80.
SEAWALL_API Listen default_listen();

}  // namespace seawall
