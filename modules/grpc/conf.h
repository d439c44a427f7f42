// What grpc_* directives say. Written at start-up, read by every loop.
#pragma once
#include <memory>
#include <vector>

#include "seawall/module/module.h"
#include "seawall/upstream/forward_conf.h"
#include "seawall/upstream/request_fields.h"
#include "seawall/upstream/upstream_tls.h"
#include "target.h"

namespace seawall::grpc {

class Conf : public ForwardConf, public UpstreamTlsConf {
 public:
  // Messages go on as they come, both ways, and the status of a call is in the trailers.
  Conf() {
    buffering = Setting<bool>(false);
    request_buffering = Setting<bool>(false);
    pass_trailers = Setting<bool>(true);
  }
  std::shared_ptr<const Target> target;
  const Settings* block = nullptr;  // that wrote grpc_pass
  Setting<std::vector<SetField>> set_fields;
  RequestFields fields;             // after inheritance
};

}  // namespace seawall::grpc
