// Vhost: one server block as requests see it. Endpoint: one listening address with the servers behind it. HttpConf: all of
// them. Made at load by http_block.cc, immutable, read by every loop, lives as long as the configuration.
#pragma once
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "seawall/config/binder.h"
#include "seawall/http/h1_head.h"
#include "seawall/net/address.h"
#include "seawall/route/listen.h"
#include "seawall/route/locations.h"
#include "seawall/route/plan.h"
#include "seawall/route/server_names.h"
#include "seawall/server/core_conf.h"
#include "seawall/tls/context.h"

namespace seawall {

class Vhost {
 public:
  Vhost(Settings& settings, const Place& place) : settings(&settings), place(place) {}
  Settings* settings;
  Place place;
  std::vector<std::string> names;  // as written; empty: ""
  std::vector<ListenOptions> listens;
  Locations locations;             // a server without locations answers from its root
  std::shared_ptr<TlsContext> tls; // null when no listen of it is ssl
  const CoreConf* core = nullptr;
  HeadLimits head_limits;          // what this server accepts when it is its address's default
  HeadOptions head_options;
};

}  // namespace seawall
