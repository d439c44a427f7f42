#include "seawall/server/body_deadline.h"

#include <algorithm>

#include "seawall/net/loop.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/earned_time.h"
#include "seawall/server/exchange.h"

namespace seawall {
namespace {

// A slow body is measured only after this time, so that a slow start or a short stall is nobody's end.
constexpr Milliseconds kRateGrace{10'000};

}  // namespace

Deadline body_deadline(const Exchange& x, std::uint64_t received, std::int64_t started, std::int64_t waited) {
  const CoreConf& core = x.core();
  Deadline until = Deadline::in(*core.client_body_timeout, Wait::body).earlier(x.last_deadline(Wait::body));
  if (const std::int64_t rate = *core.client_body_min_rate; rate > 0) {
    const auto earned = earned_time(received, rate);
    const auto allowed = std::max<std::int64_t>(kRateGrace.count(), earned) * 1'000'000 - waited;
    until = until.earlier(Deadline::at(x.loop.now() + allowed, Wait::body));
  }
  if (const auto total = *core.client_body_total_timeout; total.count() > 0)
    until = until.earlier(Deadline::at(started + std::chrono::nanoseconds(total).count(), Wait::body));
  return until;
}

}  // namespace seawall
