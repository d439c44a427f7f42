#include "seawall/async/deadline.h"

#include "seawall/async/scheduler.h"

namespace seawall {

const char* name_of(Wait wait) {
  static constexpr const char* names[kWaits] = {"accept",  "handshake", "header", "body",    "handler",       "send",
                                                "idle",    "linger",    "connect", "upstream_send", "upstream_read", "drain"};
  return names[static_cast<int>(wait)];
}

Deadline Deadline::in(Milliseconds time, Wait wait) {
  if (time.count() <= 0) return never(wait);
  return Deadline(Scheduler::current().now() + std::chrono::nanoseconds(time).count(), wait);
}

bool Deadline::passed() const { return when_ <= Scheduler::current().now(); }

}  // namespace seawall
