// HttpConf: all servers of a configuration and the sockets they need, made of what the binder has bound. Immutable once
// made; read by every loop.
#pragma once
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "seawall/config/binder.h"
#include "seawall/route/endpoints.h"
#include "seawall/route/plan.h"
#include "seawall/server/vhost.h"

namespace seawall {

class HttpConf {
 public:
  // `main` is what Binder::bind returned. ConfigError in nginx's wording with the place.
  static std::unique_ptr<HttpConf> make(Settings& main, Binder& binder, std::span<const Offer> offers);

  // Each TLS context once, in the order of its first server.
  std::vector<std::shared_ptr<TlsContext>> tls_contexts() const;

  std::deque<Vhost> vhosts;
  Endpoints endpoints;
  std::vector<ListenSocket> sockets;
};

}  // namespace seawall
