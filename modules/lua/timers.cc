#include "timers.h"

#include "api.h"
#include "conf.h"
#include "lua.h"
#include "seawall/async/event.h"
#include "seawall/log/log.h"
#include "seawall/net/loop.h"

namespace seawall::lua {
namespace {

class TakeJob {
 public:
  const Vm::Coroutine& coroutine;
  int ref, arguments;
  bool premature;
};

// The kept function with `premature` and the kept arguments, on the coroutine's stack.
int take_call(lua_State* L) {
  auto& job = *static_cast<TakeJob*>(lua_touserdata(L, 1));
  lua_State* const co = job.coroutine.state;
  luaL_checkstack(co, job.arguments + 3, "too many arguments");
  lua_rawgeti(co, LUA_REGISTRYINDEX, job.ref);
  lua_rawgeti(co, 1, 1);
  lua_pushboolean(co, job.premature);
  for (int i = 0; i < job.arguments; ++i) lua_rawgeti(co, 1, i + 2);
  lua_remove(co, 1);
  return 0;
}

}  // namespace

Timers::Timers(Vm& vm) : vm_(vm) {}

const char* Timers::add(lua_State* L, int arguments, double delay, bool repeats) {
  // In a cancelled scope its wait would end at once: it would run inside the call that makes it.
  if (vm_.is_closing() || vm_.loop.scope().cancelled() || (vm_.loop.stopping() && (delay > 0 || repeats))) return "process exiting";
  if (pending_ >= vm_.world.max_pending_timers) return "too many pending timers";
  const int base = lua_gettop(L) - arguments;
  lua_createtable(L, arguments + 1, 0);
  for (int i = 0; i <= arguments; ++i) {
    lua_pushvalue(L, base + i);
    lua_rawseti(L, -2, i + 1);
  }
  const int ref = luaL_ref(L, LUA_REGISTRYINDEX);
  ++pending_;
  vm_.loop.scope().spawn(run(vm_.weak_from_this().lock(), ref, arguments, nanoseconds(delay), repeats));
  return nullptr;
}

bool Timers::take(Vm::Coroutine& coroutine, int ref, int arguments, bool premature) {
  coroutine = vm_.make_coroutine();
  TakeJob job{coroutine, ref, arguments, premature};
  if (coroutine.state && vm_.protect(take_call, &job)) return true;
  vm_.give_back(coroutine, false);
  log(Level::error, "failed to run timer: " + vm_.error);
  return false;
}

// Once, of the first that is ended: the others are behind it.
void Timers::say_that_all_end() {
  if (std::exchange(all_end_, true) || !logs_at(main_log(), Level::debug)) return;
  log(Level::debug, "lua abort pending timers");
  log(Level::debug, "lua found " + std::to_string(pending_) + " pending timers");
}

// `keep`: a VM that is one request's own lives as long as its timers.
Task<void> Timers::run(std::shared_ptr<Vm> keep, int ref, int arguments, std::int64_t delay, bool repeats) {
  for (;;) {
    // At 0 too: never inside the call that made it.
    const Errc slept = co_await sleep_until(Deadline::at(vm_.loop.now() + delay, Wait::handler));
    const bool premature = slept == Errc::cancelled;
    if (premature) say_that_all_end();
    --pending_;
    if (logs_at(main_log(), Level::debug)) log(Level::debug, "lua ngx.timer expired");
    Vm::Coroutine coroutine;
    if (!premature && running_ >= vm_.world.max_running_timers) {
      log(Level::alert, std::to_string(vm_.world.max_running_timers) + " lua_max_running_timers are not enough");
    } else if (take(coroutine, ref, arguments, premature)) {
      // A repeating one counts from now on, whatever the function does.
      if (repeats && !premature) vm_.loop.scope().spawn(call_beside(keep, coroutine, arguments));
      else co_await call(coroutine, arguments);
    }
    if (!repeats || premature) break;
    ++pending_;
  }
  luaL_unref(vm_.state(), LUA_REGISTRYINDEX, ref);
  if (keep && &*keep != loop_state<Lua>(keep->loop).vm.get()) Vm::say_who_lets_go(keep.use_count());
  keep.reset();
}

Task<void> Timers::call_beside(std::shared_ptr<Vm>, Vm::Coroutine coroutine, int arguments) { co_await call(coroutine, arguments); }

Task<void> Timers::call(Vm::Coroutine coroutine, int arguments) {
  ++running_;
  Scope& here = co_await current_scope();
  Script script(vm_, Hook::timer, nullptr, &here);
  script.begin(coroutine, arguments + 1);
  co_await script.run();
  co_await script.end();
  --running_;
  if (logs_at(main_log(), Level::debug)) log(Level::debug, "http lua close fake http connection");
}

}  // namespace seawall::lua
