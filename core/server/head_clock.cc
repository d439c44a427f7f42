#include "seawall/server/head_clock.h"

namespace seawall {
namespace {

// After this long an unfinished head counts for its address.
constexpr Milliseconds kGrace{1000};

}  // namespace

void HeadClock::start(Milliseconds time) {
  if (running_) return;
  running_ = true;
  whole_ = Deadline::in(time, Wait::header);
  grace_ = Deadline::in(kGrace, Wait::header);
}

void HeadClock::stop() {
  running_ = false;
  if (hold_) hold_ = HeaderLimit::Hold();
}

Errc HeadClock::is_over(HeaderLimit& limit, const Address& client) {
  if (whole_.passed()) return Errc::timed_out;
  if (hold_ || !grace_.passed()) return Errc::ok;
  hold_ = limit.enter(client);
  return hold_ ? Errc::ok : Errc::exhausted;
}

}  // namespace seawall
