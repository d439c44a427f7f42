// Endpoints: all addresses the servers of a configuration listen on, each once, with the servers behind it; and which
// sockets that takes. Filled at start-up, then read by every loop. Servers are opaque here and not owned.
#pragma once
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "seawall/base/export.h"
#include "seawall/net/address.h"
#include "seawall/route/listen.h"
#include "seawall/route/server_names.h"

namespace seawall {

class Vhost;

// One address and its servers.
class Endpoint {
 public:
  Address address;
  ListenOptions options;                 // of the servers' listens together
  std::vector<const Vhost*> servers;     // in the order written
  const Vhost* default_server = nullptr; // the one marked so, else the first
  ServerNames names;                     // made from `servers` once all are known, by whoever knows their names

 private:
  friend class Endpoints;
  bool redefines_protocols(const ListenOptions& before, const ListenOptions& added);
  // Which of proxy_protocol, ssl, http2 the last listen left out or had: for "protocol options redefined".
  unsigned protocols = 0;
  bool protocols_set = false, protocols_changed = false;
};

// One socket to open: where, how, and the endpoints that connections accepted on it may be for.
class SEAWALL_API ListenSocket {
 public:
  Address address;
  ListenOptions options;
  std::vector<const Endpoint*> endpoints;  // the socket's own comes last
  // Must the local address of an accepted connection be asked for?
  bool needs_local_address() const { return endpoints.size() > 1; }
  // Never null. `local` is what getsockname says; its port is the socket's.
  const Endpoint* find(const Address& local) const;
};

class SEAWALL_API Endpoints {
 public:
  using Warn = std::function<void(const std::string&)>;
  // A server's listen. To be called server by server, in the order written. ConfigError, nginx's wordings: a duplicate
  // listen ADDRESS, duplicate listen options for ADDRESS, a duplicate default server for ADDRESS. Warns: protocol
  // options redefined for ADDRESS.
  void add(const Listen& listen, const Vhost* server, const Warn& warn);

  std::deque<Endpoint>& all() { return endpoints_; }  // addresses are stable
  const std::deque<Endpoint>& all() const { return endpoints_; }

  // nginx's rule: where a wildcard address of the same family and port is listened on, only that one is bound, and an
  // accepted connection's local address tells whose it is; other addresses get a socket of their own if a socket option
  // (or `bind`) asks for it, or if there is no wildcard.
  std::vector<ListenSocket> sockets() const;

 private:
  void add(const Address& address, const ListenOptions& options, const Vhost* server, const Warn& warn);
  void merge(Endpoint& endpoint, const ListenOptions& options, const Vhost* server, const Warn& warn);

  std::deque<Endpoint> endpoints_;
  std::unordered_map<Address, Endpoint*> by_address_;
};

}  // namespace seawall
