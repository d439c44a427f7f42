// What the scripts of a loop are at, by their own names: the module that runs them offers it, a profiler asks. Each loop's is its
// own thread's.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "seawall/async/deadline.h"
#include "seawall/base/export.h"

namespace seawall {

class ScriptSample {
 public:
  std::vector<std::string> frames;  // the innermost first
  std::uint64_t count = 0;
};

class ScriptProfiler {
 public:
  // Samples every so often of the thread's CPU time while scripts run. False: this process has one profiler, and it is taken.
  virtual bool start(Milliseconds between) = 0;
  virtual std::vector<ScriptSample> stop() = 0;

 protected:
  ~ScriptProfiler() = default;
};

// The calling thread's. Null: it runs no scripts (any more).
SEAWALL_API void set_script_profiler(ScriptProfiler* profiler);
SEAWALL_API ScriptProfiler* script_profiler();

}  // namespace seawall
