// What tests of deadlines share: a clock with both bounds, a client that drips, the descriptors a server holds.
#pragma once
#include <functional>
#include <string_view>

#include "e2e/probe.h"
#include "e2e/raw_client.h"

namespace test {

// How long somebody on this machine has waited for a processor so far (PSI; 0 where the kernel does not say): what makes
// things late and is nobody's fault. Upper bounds are stretched by what it grew meanwhile, which is nothing on a machine with
// a processor to spare.
Clock::duration time_without_processor();

// The server's clock stands still for a turn of its loop: what begins late in a long turn (sixteen handshakes under ASan)
// began, for it, when the turn did. So much earlier than its limit may something end.
inline constexpr auto kTurn = std::chrono::milliseconds(60);

// Made before the awaited clock can have started: the lower bound always holds, the upper one where times mean something.
class Stopwatch {
 public:
  explicit Stopwatch(Clock::duration limit) : limit_(limit) {}
  void check() const;  // now is when the limit was felt
  void restart() { *this = Stopwatch(limit_); }

 private:
  Clock::duration limit_;
  Clock::duration busy_ = time_without_processor();
  Clock::time_point start_ = Clock::now();
};

// One byte at a time with this pause between two; false as soon as the other side says anything, or closes.
bool drip(RawClient& client, std::string_view bytes, Clock::duration pause);

// Looks again every few milliseconds: for states of the kernel that nobody announces.
bool wait_until(const std::function<bool()>& check, Clock::duration within = kPatience);

// The process that serves: the worker, once it does.
pid_t serving_process(const Server& server);
int open_descriptors(pid_t pid);
int settled_descriptors(pid_t pid);  // once their number stands still: closing follows what a client sees of it

}  // namespace test
