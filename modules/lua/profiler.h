// What a loop's scripts are at, by LuaJIT's own sampling (jit.profile's C functions), for modules/profile. One loop.
//
// LuaJIT has one profiler for the process, which serves one VM at a time. Its timer runs on the CPU time of the whole process, and
// signals any thread: it is exchanged for one of this loop's thread. Samples outside of scripts would be charged to the script that
// runs next: they are left out.
#pragma once
#include <lua.hpp>
#include <time.h>

#include <string>
#include <unordered_map>

#include "seawall/observe/script_profile.h"

namespace seawall::lua {

class Vm;

class Profiler final : public ScriptProfiler {
 public:
  // On the loop's thread; the VM outlives it. Nothing is done before start().
  explicit Profiler(Vm& vm);
  ~Profiler();
  Profiler(const Profiler&) = delete;
  Profiler& operator=(const Profiler&) = delete;

  using Handler = void (*)(int);

  bool start(Milliseconds between) override;
  std::vector<ScriptSample> stop() override;

 private:
  static void count(void* profiler, lua_State* L, int samples, int state);
  void end_sampling();
  Vm& vm_;
  bool running_ = false;
  Handler before_ = nullptr;  // of SIGPROF
  timer_t timer_{};
  std::unordered_map<std::string, std::uint64_t> counts_;  // by stack, the innermost first, a frame a line
};

}  // namespace seawall::lua
