#include "seawall/upstream/group.h"

#include <netdb.h>

#include <algorithm>

#include "seawall/upstream/balancer.h"

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

std::vector<Address> addresses_of(const UpstreamUrl& url) {
  if (url.is_unix) {
    const auto address = Address::unix_path(url.host);
    return address ? std::vector<Address>{*address} : std::vector<Address>();
  }
  std::string host = url.host;
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  if (const auto address = Address::parse_ip(host, url.port)) return {*address};
  return look_up(host, url.port);
}

}  // namespace

Group::Group() = default;
Group::~Group() = default;

void Group::add(const Address& address, const UpstreamServer& server) {
  Peer peer;
  peer.address = address;
  peer.name = address.text_with_port();
  peer.server = &server;
  (server.backup ? backup : primary).push_back(std::move(peer));
}

void Group::resolve(const std::function<void(const std::string&)>& warn) {
  for (const UpstreamServer& server : servers) {
    const std::vector<Address> found = addresses_of(server.url);
    if (found.empty())
      warn("host not found in upstream \"" + server.url.host + "\", it is left out in " + server.place.text());
    for (const Address& address : found) add(address, server);
  }
  if (shared) common = std::make_unique<Balancer>(*this);
}

}  // namespace seawall
