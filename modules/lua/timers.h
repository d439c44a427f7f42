// ngx.timer: functions that run later, in nobody's request. The timers of one VM. One loop.
//
// A timer that waits holds the loop open no longer than its requests do: when the last has gone it runs at once, `premature`.
#pragma once
#include "seawall/async/scope.h"
#include "vm.h"

namespace seawall::lua {

class Timers {
 public:
  explicit Timers(Vm& vm);

  // At the top of L's stack: the function and its `arguments`. Null: it will run; else why not. May raise.
  const char* add(lua_State* L, int arguments, double delay, bool repeats);
  int pending() const { return pending_; }
  int running() const { return running_; }

 private:
  Task<void> run(std::shared_ptr<Vm> keep, int ref, int arguments, std::int64_t delay, bool repeats);
  Task<void> call(Vm::Coroutine coroutine, int arguments);
  Task<void> call_beside(std::shared_ptr<Vm> keep, Vm::Coroutine coroutine, int arguments);
  bool take(Vm::Coroutine& coroutine, int ref, int arguments, bool premature);
  Vm& vm_;
  void say_that_all_end();
  int pending_ = 0, running_ = 0;
  bool all_end_ = false;
};

}  // namespace seawall::lua
