#include "seawall/route/endpoints.h"

#include <algorithm>
#include <map>
#include <utility>

#include "seawall/config/tree.h"

namespace seawall {
namespace {

unsigned protocols_of(const ListenOptions& o) {
  return (o.proxy_protocol ? 1u : 0u) | (o.ssl ? 2u : 0u) | (o.http2 ? 4u : 0u);
}

bool is_subset(unsigned part, unsigned whole) { return (part & ~whole) == 0; }

// The endpoints of one family and port in nginx's order: those that must be bound, the others, the wildcard.
void sort_for_binding(std::vector<const Endpoint*>& group) {
  const auto rank = [](const Endpoint* e) { return e->address.is_wildcard() ? 2 : e->options.bind ? 0 : 1; };
  std::stable_sort(group.begin(), group.end(), [&](auto* a, auto* b) { return rank(a) < rank(b); });
}

void open_group(std::vector<const Endpoint*> group, std::vector<ListenSocket>& sockets) {
  sort_for_binding(group);
  const bool wildcard = group.back()->address.is_wildcard();
  std::vector<const Endpoint*> shared;  // served by the wildcard's socket
  for (const Endpoint* endpoint : group) {
    if (wildcard && endpoint != group.back() && !endpoint->options.bind) {
      shared.push_back(endpoint);
      continue;
    }
    ListenSocket socket;
    socket.address = endpoint->address;
    socket.options = endpoint->options;
    if (endpoint == group.back()) socket.endpoints = std::move(shared);
    socket.endpoints.push_back(endpoint);
    sockets.push_back(std::move(socket));
  }
}

}  // namespace

const Endpoint* ListenSocket::find(const Address& local) const {
  const auto own = endpoints.end() - 1;
  return *std::find_if(endpoints.begin(), own, [&](const Endpoint* e) { return e->address.same_host(local); });
}

void Endpoints::add(const Listen& listen, const Vhost* server, const Warn& warn) {
  for (const Address& address : listen.addresses) add(address, listen.options, server, warn);
}

void Endpoints::add(const Address& address, const ListenOptions& options, const Vhost* server, const Warn& warn) {
  if (const auto found = by_address_.find(address); found != by_address_.end())
    return merge(*found->second, options, server, warn);
  Endpoint& endpoint = endpoints_.emplace_back();
  endpoint.address = address;
  endpoint.options = options;
  endpoint.servers.push_back(server);
  endpoint.default_server = server;
  by_address_.emplace(address, &endpoint);
}

// nginx adds protocols up, and warns where one listen says more or less than the others, unless it is the one with the
// socket options that says all.
bool Endpoint::redefines_protocols(const ListenOptions& before, const ListenOptions& added) {
  const unsigned now = protocols_of(added), previous = protocols_of(before);
  const bool differs = protocols_set && now != protocols;
  const bool more = !is_subset(now, previous), less = !is_subset(previous, now);
  bool redefined;
  if (more) redefined = (before.set && !added.set) || protocols_changed || less;
  else if (less) redefined = added.set || differs;
  else redefined = (added.set && protocols_changed) || differs;
  protocols = more ? previous : now;
  protocols_set = true;
  protocols_changed = protocols_changed || more || less;
  return redefined;
}

void Endpoints::merge(Endpoint& endpoint, const ListenOptions& options, const Vhost* server, const Warn& warn) {
  const std::string where = endpoint.address.text_with_port();
  // Servers come one after the other, so a server that is in the list already is the last.
  if (endpoint.servers.back() == server) throw ConfigError("a duplicate listen " + where);
  endpoint.servers.push_back(server);
  const ListenOptions before = endpoint.options;
  if (options.set && before.set) throw ConfigError("duplicate listen options for " + where);
  if (options.default_server && before.default_server) throw ConfigError("a duplicate default server for " + where);
  if (options.default_server) endpoint.default_server = server;
  if (options.set) endpoint.options = options;

  if (endpoint.redefines_protocols(before, options)) warn("protocol options redefined for " + where);
  endpoint.options.default_server = before.default_server || options.default_server;
  endpoint.options.proxy_protocol = before.proxy_protocol || options.proxy_protocol;
  endpoint.options.ssl = before.ssl || options.ssl;
  endpoint.options.http2 = before.http2 || options.http2;
}

std::vector<ListenSocket> Endpoints::sockets() const {
  std::map<std::pair<int, std::uint16_t>, std::size_t> numbers;
  std::vector<std::vector<const Endpoint*>> groups;  // in the order written
  for (const Endpoint& endpoint : endpoints_) {
    const auto key = std::pair(endpoint.address.family(), endpoint.address.port());
    const auto number = numbers.try_emplace(key, groups.size()).first->second;
    if (number == groups.size()) groups.emplace_back();
    groups[number].push_back(&endpoint);
  }
  std::vector<ListenSocket> sockets;
  for (auto& group : groups) open_group(std::move(group), sockets);
  return sockets;
}

}  // namespace seawall
