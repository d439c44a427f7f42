#include "counts.h"

#include <new>

#include "seawall/base/shared_memory.h"
#include "seawall/base/shared_table.h"
#include "seawall/observe/gathering.h"

namespace seawall::lua {
namespace {

class Counts {
 public:
  SharedCount errors, runs, nanoseconds, questions;
};

Counts* counts = nullptr;

}  // namespace

void prepare_counts() {
  static SharedMemory memory(sizeof(Counts));
  if (!counts) counts = new (memory.data()) Counts;
}
void count_error() { counts->errors.add(); }

bool times_runs() { return counts->questions.get() > 0; }

void count_run(std::int64_t nanoseconds) {
  counts->runs.add();
  if (nanoseconds > 0) counts->nanoseconds.add(static_cast<std::uint64_t>(nanoseconds));
}

void collect_counts(Gathering& out) {
  counts->questions.add();
  out.counter("seawall_lua_errors", "Errors of scripts that were logged.").add(static_cast<double>(counts->errors.get()));
  out.counter("seawall_lua_runs", "How often scripts were begun or went on after a wait.").add(static_cast<double>(counts->runs.get()));
  out.counter("seawall_lua_seconds", "For how long scripts ran, waits apart, since somebody asked for the first time.").add(static_cast<double>(counts->nanoseconds.get()) / 1e9);
}

}  // namespace seawall::lua
