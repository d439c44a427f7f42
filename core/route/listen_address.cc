#include "seawall/route/listen_address.h"

#include <netdb.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>

#include "seawall/base/text.h"
#include "seawall/config/tree.h"

namespace seawall {
namespace {

constexpr auto npos = std::string_view::npos;

// What is wrong, without the word it is in.
class Wrong {
 public:
  const char* what;
};

class Ports {
 public:
  std::uint16_t first = 80, last = 80;
};

std::uint16_t port_of(std::string_view text) {
  const auto port = parse_decimal(text);
  if (!port || *port < 1 || *port > 65535) throw Wrong{"invalid port"};
  return static_cast<std::uint16_t>(*port);
}

// "8080" or "8080-8090".
Ports ports_of(std::string_view text) {
  const auto dash = text.find('-');
  Ports ports;
  ports.first = port_of(text.substr(0, dash));
  ports.last = dash == npos ? ports.first : port_of(text.substr(dash + 1));
  if (ports.first > ports.last) throw Wrong{"invalid port range"};
  return ports;
}

// A word of digits, or of two numbers around a dash, is no host.
bool is_ports_only(std::string_view word) {
  const auto dash = word.find('-');
  return parse_decimal(word.substr(0, dash)) && (dash == npos || parse_decimal(word.substr(dash + 1)));
}

std::vector<Address> resolve(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &list) != 0) throw Wrong{"host not found"};
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, freeaddrinfo);
  std::vector<Address> found;
  for (; list; list = list->ai_next)
    if (list->ai_family == AF_INET || list->ai_family == AF_INET6)
      found.push_back(Address::from(list->ai_addr, list->ai_addrlen));
  if (found.empty()) throw Wrong{"host not found"};
  return found;
}

std::vector<Address> with_ports(const std::vector<Address>& hosts, Ports ports) {
  std::vector<Address> all;
  for (const Address& host : hosts) {
    for (int port = ports.first; port <= ports.last; ++port) {
      const Address one = host.with_port(static_cast<std::uint16_t>(port));
      // Resolvers list an address twice when /etc/hosts does.
      if (std::find(all.begin(), all.end(), one) == all.end()) all.push_back(one);
    }
  }
  return all;
}

std::vector<Address> unix_addresses(std::string_view path) {
  if (path.empty()) throw Wrong{"no path in the unix domain socket"};
  const auto address = Address::unix_path(path);
  if (!address) throw Wrong{"too long path in the unix domain socket"};
  return {*address};
}

std::vector<Address> ipv6_addresses(std::string_view word) {
  const auto close = word.find(']');
  if (close == npos || word.find('/', close) != npos) throw Wrong{"invalid host"};
  Ports ports;
  if (const auto rest = word.substr(close + 1); !rest.empty()) {
    if (rest.front() != ':') throw Wrong{"invalid host"};
    ports = ports_of(rest.substr(1));
  }
  if (close == 1) throw Wrong{"no host"};
  const auto address = Address::parse_ip(word.substr(1, close - 1));
  if (!address || address->family() != AF_INET6) throw Wrong{"invalid IPv6 address"};
  return with_ports({*address}, ports);
}

std::vector<Address> inet_addresses(std::string_view word) {
  if (word.find_first_of("/?") != npos) throw Wrong{"invalid host"};
  if (is_ports_only(word)) return with_ports({Address::any_ipv4(0)}, ports_of(word));
  const auto colon = word.find(':');
  const auto ports = colon == npos ? Ports() : ports_of(word.substr(colon + 1));
  const auto host = word.substr(0, colon);
  if (host.empty()) throw Wrong{"no host"};
  if (host == "*") return with_ports({Address::any_ipv4(0)}, ports);
  if (const auto address = Address::parse_ip(host)) return with_ports({*address}, ports);
  return with_ports(resolve(std::string(host)), ports);
}

}  // namespace

std::vector<Address> listen_addresses(const std::string& word) {
  try {
    if (word.size() >= 5 && equals_ignoring_case(word.substr(0, 5), "unix:"))
      return unix_addresses(std::string_view(word).substr(5));
    return word.starts_with('[') ? ipv6_addresses(word) : inet_addresses(word);
  } catch (const Wrong& wrong) {
    throw ConfigError(std::string(wrong.what) + " in \"" + word + "\" of the \"listen\" directive");
  }
}

}  // namespace seawall
