// forward(): passes a request to a server of a group and makes a response of its answer: choosing and trying servers, the upload,
// deadlines, errors, X-Accel-*, hidden fields, buffering, tunnels. The content step of a protocol module is little more than
// this call. One loop.
//
//   ForwardTo to;
//   to.group = conf.group;
//   to.protocol = std::make_unique<FastCgi>(x, conf);
//   return Rest(forward(x, conf, std::move(to), outcome));
#pragma once
#include <memory>
#include <optional>

#include "seawall/async/task.h"
#include "seawall/route/step.h"
#include "seawall/upstream/forward_conf.h"
#include "seawall/upstream/group.h"
#include "seawall/upstream/protocol.h"
#include "seawall/upstream/upstream_tls.h"

namespace seawall {

class Exchange;
class H2Client;

class SEAWALL_API ForwardTo {
 public:
  std::shared_ptr<const Group> group;
  std::unique_ptr<UpstreamProtocol> protocol;
  // Sent instead of the client's body (proxy_set_body).
  std::optional<Slice> own_body;
  // Whom a cache's key names, unless the settings have a key: a host with its port, or "unix:/path:"; empty: nobody.
  std::string key_host;
  // Speaks TLS with the server, as these settings say; null: not. Its name, with the port where one is written.
  const UpstreamTlsConf* tls = nullptr;
  std::string tls_name;
  // The protocol, where it is HTTP/2: requests share connections. Its reader and writer are streams of those.
  H2Client* http2 = nullptr;
  // The version of the PROXY protocol's header that each connection begins with; 0: none. A connection is its client's then.
  int proxy_protocol = 0;
  // The protocol can send a body whose length is not known before its end.
  bool takes_unknown_length = false;
};

// `conf` outlives the exchange, `outcome` the task: there is a Response or an Abort at its end, or the Internal of an X-Accel-Redirect.
SEAWALL_API Task<void> forward(Exchange& x, const ForwardConf& conf, ForwardTo to, Outcome& outcome);

}  // namespace seawall
