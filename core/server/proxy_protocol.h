// The PROXY protocol at the start of a connection, versions 1 and 2: who the client behind the proxy is. One loop.
#pragma once
#include <string>
#include <string_view>

#include "seawall/async/task.h"
#include "seawall/server/exchange.h"

namespace seawall {

class Connection;

// What ConnectionInfo::proxied points to, wherever it points to anything.
class ProxiedHeader final : public Proxied {
 public:
  ProxiedHeader(const Proxied& addresses, std::string_view tlvs) : Proxied(addresses), tlvs(tlvs) {}
  std::string tlvs;  // of version 2, as they came
};

// Reads the header within client_header_timeout and stores what it says. False: broken or missing, the connection ends.
Task<bool> read_proxy_protocol(Connection& c);

}  // namespace seawall
