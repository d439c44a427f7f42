// The end of a time that began at some moment: what waits more than once measures from there, not from each wait.
#pragma once
#include "seawall/async/deadline.h"

namespace seawall {

// `from` in ns, monotonic. A time of zero or less is off, as it is for Deadline::in.
inline Deadline deadline_after(std::int64_t from, Milliseconds time, Wait wait) {
  if (time.count() <= 0) return Deadline::never(wait);
  return Deadline::at(from + std::chrono::nanoseconds(time).count(), wait);
}

}  // namespace seawall
