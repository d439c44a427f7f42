// AsyncLook: what a thread's coroutines wait for: the waits of a scope, the scopes below it, and for each wait its asynchronous stack,
// from the coroutine that waits to the one that was spawned. It changes nothing and holds nothing: nothing may be resumed while what it
// has told is looked at, so it is for callbacks, and for coroutines up to their next wait. The thread's own.
#pragma once
#include <coroutine>
#include <optional>

#include "seawall/async/scope.h"

namespace seawall {

// A coroutine that is suspended.
class AsyncFrame {
 public:
  std::coroutine_handle<> coroutine;
  std::uintptr_t function;  // the address of what runs it: its symbol is the coroutine's name
  Scope* scope;
};

class SEAWALL_API AsyncLook {
 public:
  class Wait {
   public:
    std::coroutine_handle<> coroutine;
    Waiter::Kind kind;
    std::optional<Deadline> deadline;
    bool is_over;  // what was waited for has happened: it goes on as soon as it may
  };

  template <class Visit>
  static void waits_in(Scope& scope, Visit visit) { each(scope.waits_, visit); }
  // Has anybody asked to hear of its end? That waits in no scope that can be looked at.
  static std::optional<Wait> wait_for_end_of(const Scope& scope);
  template <class Visit>
  static void scopes_in(Scope& scope, Visit visit) {
    for (Scope* child = scope.children_.front(); child; child = scope.children_.next(*child)) visit(*child);
  }
  // Those of this thread that are over.
  template <class Visit>
  static void waits_over(Visit visit) { each(Scheduler::current().ready_, visit); }

  // The innermost first; ends when visit says false.
  template <class Visit>
  static void stack(std::coroutine_handle<> waiting, Visit visit) {
    // What Scope::spawn() puts around a task has no parent, and nobody has written it.
    for (; waiting && parent_of(waiting); waiting = parent_of(waiting))
      if (!visit(frame_of(waiting))) return;
  }

 private:
  static Wait wait_of(const Waiter& waiter);
  static AsyncFrame frame_of(std::coroutine_handle<> coroutine);
  static std::coroutine_handle<> parent_of(std::coroutine_handle<> coroutine);
  template <class Visit>
  static void each(List<Waiter>& waits, Visit& visit) {
    for (Waiter* waiter = waits.front(); waiter; waiter = waits.next(*waiter)) visit(wait_of(*waiter));
  }
};

// co_await current_coroutine(): the running one's, by which a look finds it.
class CurrentCoroutine {
 public:
  bool await_ready() const { return false; }
  bool await_suspend(std::coroutine_handle<> awaiter) {
    coroutine_ = awaiter;
    return false;
  }
  std::coroutine_handle<> await_resume() const { return coroutine_; }

 private:
  std::coroutine_handle<> coroutine_;
};
inline CurrentCoroutine current_coroutine() { return {}; }

}  // namespace seawall
