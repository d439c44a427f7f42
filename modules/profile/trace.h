// A trace of one loop: what each turn and each resumption of a coroutine takes, by the coroutine's asynchronous stack and by the
// location for whose requests it worked. A loop that nobody traces asks once a turn and a resumption whether anybody does.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "loops.h"
#include "profile_data.h"
#include "symbols.h"
#include "trace_events.h"

namespace seawall::profile {

// One kind of work; times are nanoseconds.
class TracedWork {
 public:
  const char* part = nullptr;             // of the loop's own; null: of a coroutine's
  std::string location;                   // of the request that it began or ended; empty: of none
  std::vector<std::uintptr_t> functions;  // of the coroutine that was resumed, the innermost first
  std::int64_t count = 0, total = 0, longest = 0;
};

class Trace {
 public:
  static constexpr const char* kTurn = "turn";  // a part that has all others in it
  int loop = 0;
  std::int64_t began = 0, duration = 0;  // of the loop's clock
  std::vector<TracedWork> work;
  TraceEvents events{50'000};            // where they are wanted
};

class TraceResult {
 public:
  TraceResult() = default;
  Asked how = Asked::done;
  Trace trace;
};

// Of this loop, for so long, or until the worker is to end. One at a time of each loop.
Task<TraceResult> trace_loop(LoopThread of, Milliseconds time, bool events);

// Any thread.
ProfileData profile_of(const Trace& trace, Symbols& symbols);
// Chrome's format of trace events, which Perfetto and speedscope open.
std::string events_of(const Trace& trace, Symbols& symbols);

}  // namespace seawall::profile
