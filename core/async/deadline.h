// Deadline: until when a wait may last, and the word for it in logs and counters. No waiting call exists without one.
// Made before a loop it bounds the whole; made inside, it bounds the gap between two events.
// The thread's own: times are those of the current Scheduler.
#pragma once
#include <chrono>
#include <cstdint>
#include <limits>

#include "seawall/base/export.h"

namespace seawall {

// What is being waited for (INTERNET.md's phases; nginx's Phase is something else).
enum class Wait : std::uint8_t {
  accept, handshake, header, body, handler, send, idle, linger, connect, upstream_send, upstream_read, drain,
};
inline constexpr int kWaits = 12;
SEAWALL_API const char* name_of(Wait wait);

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

class SEAWALL_API Deadline {
 public:
  // From the loop's present time; zero or less means "off" and must have been written by the operator.
  static Deadline in(Milliseconds time, Wait wait);
  static Deadline at(std::int64_t nanoseconds, Wait wait) { return Deadline(nanoseconds, wait); }
  // For waits that have no end by their nature: a listener's accept, the supervisor's signals, a drained loop.
  static Deadline never(Wait wait) { return Deadline(kNever, wait); }

  std::int64_t when() const { return when_; }
  Wait wait() const { return wait_; }
  bool is_never() const { return when_ == kNever; }
  bool passed() const;
  Deadline earlier(Deadline other) const { return other.when_ < when_ ? other : *this; }

  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

 private:
  Deadline(std::int64_t when, Wait wait) : when_(when), wait_(wait) {}
  std::int64_t when_;  // nanoseconds of CLOCK_MONOTONIC
  Wait wait_;
};

}  // namespace seawall
