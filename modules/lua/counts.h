// What is counted of scripts, for all generations of the server: how often Lua was entered, for how long, and errors that were logged.
// Any thread.
#pragma once
#include <cstdint>

namespace seawall {
class Gathering;
}

namespace seawall::lua {

// Makes the memory; before the first worker is forked.
void prepare_counts();
void count_error();
// Does anybody ask how long scripts run? From the first time on they are timed: a look at the clock costs as much as a short script.
bool times_runs();
// Lua ran on this thread, from its entry to its next wait or its end. 0: not timed.
void count_run(std::int64_t nanoseconds);
void collect_counts(Gathering& out);

}  // namespace seawall::lua
