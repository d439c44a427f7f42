// The first word of `listen`: address, port, port range, name or unix path, as the addresses it stands for. Start-up
// thread: names are resolved with getaddrinfo, which waits.
#pragma once
#include <string>
#include <vector>

#include "seawall/base/export.h"
#include "seawall/net/address.h"

namespace seawall {

// At least one address, none twice; a range gives one for each port. Without a port: 80. ConfigError, nginx's wordings:
// no host, invalid host, invalid port, invalid port range, invalid IPv6 address, host not found, no path or too long
// path in the unix domain socket; each `in "WORD" of the "listen" directive`.
SEAWALL_API std::vector<Address> listen_addresses(const std::string& word);

}  // namespace seawall
