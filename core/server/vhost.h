// Vhost: one server block as requests see it. Made at load by http_conf.cc, immutable, read by every loop, lives as long
// as the configuration.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "seawall/config/binder.h"
#include "seawall/http/h1_head.h"
#include "seawall/route/locations.h"
#include "seawall/route/plan.h"
#include "seawall/route/server_names.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/h2_conf.h"
#include "seawall/server/tls_conf.h"

namespace seawall {

class Vhost {
 public:
  Settings* settings = nullptr;
  const CoreConf* core = nullptr;
  const TlsConf* tls_conf = nullptr;
  const Http2Conf* http2 = nullptr;
  bool http2_on_tls = false, http2_on_plain = false;  // as `http2` says, or its default
  Place place;
  std::string primary_name;         // $server_name: the first name as written, "" without any
  std::vector<ServerName> names;
  Locations locations;              // a server without locations answers from its root
  std::shared_ptr<TlsContext> tls;  // null when no listen of it is ssl, or where the default server's is taken
  // What a head may be like before its Host is known: this server being the default of its address.
  HeadLimits head_limits;
  HeadOptions head_options;
};

}  // namespace seawall
