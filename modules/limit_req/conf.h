// The settings of limit_req. Written at start-up, read by every loop.
#pragma once
#include <vector>

#include "bucket.h"

namespace seawall::limit_req {

class Conf {
 public:
  Setting<std::vector<Limit>> limits;
  Setting<Level> log_level{Level::error};
  Setting<std::int64_t> status{503};
  Setting<bool> dry_run{false};

  // nginx: what is delayed is one level less severe than what is refused.
  Level delay_level() const {
    return *log_level == Level::info ? Level::info : static_cast<Level>(static_cast<int>(*log_level) + 1);
  }
};

// limit_req_zone KEY zone=NAME:SIZE rate=RATEr/s;
void declare_zone(Conf& conf, const Invocation& in);
// limit_req zone=NAME [burst=N] [nodelay | delay=N];
void append_limit(std::vector<Limit>& limits, const Invocation& in);
std::int64_t parse_status(const Invocation& in);

}  // namespace seawall::limit_req
