// The PROXY protocol's header, versions 1 (text) and 2 (binary), as the proxy sends it before anything else. Pure.
#pragma once
#include <cstddef>
#include <string_view>

#include "seawall/base/export.h"
#include "seawall/net/address.h"

namespace seawall {

// Version 1 has at most 107 bytes; of version 2 we take addresses and skip TLVs up to this.
inline constexpr std::size_t kLongestProxyHeader = 4096;

class ProxyHeader {
 public:
  enum State { incomplete, complete, broken } state = incomplete;
  std::size_t size = 0;             // of a complete one
  Address source, destination;      // empty for UNKNOWN and LOCAL
};

SEAWALL_API ProxyHeader parse_proxy_header(std::string_view bytes);

}  // namespace seawall
