// The lua module: scripts of OpenResty's API in the life of a request. What it keeps for a request and for a loop.
#pragma once
#include <memory>

#include "conf.h"
#include "counts.h"
#include "profiler.h"
#include "request_state.h"
#include "seawall/module/module.h"
#include "vm.h"
#include "watchdog.h"

namespace seawall::lua {

// A loop's VM. init_by_lua has run when the loop begins; init_worker_by_lua, too.
class LoopState {
 public:
  LoopState(Loop& loop, const Conf& main);
  ~LoopState();
  Loop& loop;
  const World* world;
  std::unique_ptr<Watched> watched;
  std::unique_ptr<Vm> vm;
  std::unique_ptr<Profiler> profiler;
};

class Lua {
 public:
  using Conf = lua::Conf;
  using State = RequestState;
  using LoopState = lua::LoopState;
  static constexpr const char* name = "lua";
  static constexpr const char* summary = "request hooks in Lua: OpenResty's API";
  static const std::span<const Directive> directives;
  static const std::span<const Step> steps;
  static const std::span<const Filter> filters;
  static void check(Conf& conf, Settings& settings, Binder& binder);
  static void log(Exchange& x, const Conf& conf);
  static void collect(Gathering& out, const Conf&) { collect_counts(out); }
};

// The loops of this process.
int loop_count();
// The VM that runs this request's scripts.
Vm& vm_of(Exchange& x);

}  // namespace seawall::lua
