#include "seawall/upstream/group.h"

#include <netdb.h>

#include <algorithm>

#include "seawall/upstream/balancer.h"
#include "seawall/upstream/sticky.h"

namespace seawall {
namespace {

std::vector<Address> look_up(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &list) != 0) return {};
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, freeaddrinfo);
  std::vector<Address> found;
  for (; list; list = list->ai_next) {
    if (list->ai_family != AF_INET && list->ai_family != AF_INET6) continue;
    const Address one = Address::from(list->ai_addr, list->ai_addrlen).with_port(port);
    if (std::find(found.begin(), found.end(), one) == found.end()) found.push_back(one);
  }
  return found;
}

std::string without_brackets(const std::string& host) { return host.starts_with('[') ? host.substr(1, host.size() - 2) : host; }

std::vector<Address> addresses_of(const UpstreamUrl& url) {
  if (url.is_unix) {
    const auto address = Address::unix_path(url.host);
    return address ? std::vector<Address>{*address} : std::vector<Address>();
  }
  const std::string host = without_brackets(url.host);
  if (const auto address = Address::parse_ip(host, url.port)) return {*address};
  return look_up(host, url.port);
}

}  // namespace

Group::Group() = default;
Group::~Group() = default;

bool Group::resolves() const {
  return std::any_of(servers.begin(), servers.end(), [](const UpstreamServer& server) { return server.resolve; });
}

bool Group::starts_slowly() const {
  return std::any_of(servers.begin(), servers.end(), [](const UpstreamServer& server) { return server.slow_start.count() > 0; });
}

bool Group::takes_backups() const {
  return balance == Balance::round_robin || balance == Balance::least_conn || balance == Balance::least_time;
}

Peer Group::make_peer(const Address& address, const UpstreamServer& server) const {
  Peer peer;
  peer.address = address;
  peer.name = address.text_with_port();
  peer.server = &server;
  peer.weight = server.weight;
  peer.label = server.text;
  if (sticky) peer.id = server.route.empty() ? Sticky::id_of(peer.name) : server.route;
  return peer;
}

void Group::add(const Address& address, const UpstreamServer& server) {
  (server.backup ? backup : primary).push_back(make_peer(address, server));
}

void Group::resolve(const std::function<void(const std::string&)>& warn) {
  for (const UpstreamServer& server : servers) {
    if (server.resolve) continue;
    const std::vector<Address> found = addresses_of(server.url);
    if (found.empty())
      warn("host not found in upstream \"" + server.url.host + "\", it is left out in " + server.place.text());
    for (const Address& address : found) add(address, server);
  }
  if (shared) common = std::make_unique<Balancer>(*this);
}

}  // namespace seawall
