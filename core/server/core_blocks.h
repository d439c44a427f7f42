// The skeleton of a configuration while it is bound: servers in http, names, addresses and locations in a server, nested
// locations in a location. http_conf.cc makes Vhosts of it. Start-up thread.
#pragma once
#include <memory>
#include <vector>

#include "seawall/config/binder.h"
#include "seawall/route/listen.h"
#include "seawall/route/location.h"
#include "seawall/route/server_names.h"

namespace seawall {

class CoreBlocks {
 public:
  Settings* http = nullptr;                          // in main: the http block's settings
  std::vector<Settings*> servers;                    // in http, in order
  std::vector<Listen> listens;                       // in a server
  std::vector<ServerName> names;                     // in a server
  std::vector<std::unique_ptr<Location>> locations;  // in a server and in a location, in order
  Location* opening = nullptr;                       // whose block is being read now
};

// The location whose own block a directive stands in; null in other blocks (server, if, limit_except). While binding only.
SEAWALL_API Location* location_of(const Invocation& in);

}  // namespace seawall
