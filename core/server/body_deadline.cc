#include "seawall/server/body_deadline.h"

#include <algorithm>

#include "seawall/net/loop.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/earned_time.h"
#include "seawall/server/exchange.h"

namespace seawall {
Deadline body_deadline(const Exchange& x, std::uint64_t received, std::int64_t started, std::int64_t waited) {
  const CoreConf& core = x.core();
  Deadline until = Deadline::in(*core.client_body_timeout, Wait::body).earlier(x.last_deadline(Wait::body));
  if (const std::int64_t rate = *core.client_body_min_rate; rate > 0)
    until = until.earlier(Deadline::at(x.loop.now() + allowed_time(received, rate) - waited, Wait::body));
  if (const auto total = *core.client_body_total_timeout; total.count() > 0)
    until = until.earlier(Deadline::at(started + std::chrono::nanoseconds(total).count(), Wait::body));
  return until;
}

}  // namespace seawall
