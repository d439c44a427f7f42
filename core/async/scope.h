// Scope: a tree of running tasks. Spawn into it, cancel it, join it; it must be empty when it dies.
// Cancelling completes every leaf wait below it with Errc::cancelled, and every later wait at once: stacks unwind by
// ordinary returns, no coroutine is ever destroyed while it waits. One thread.
//
//   Scope uploads(&parent);
//   uploads.spawn(send_body(...));
//   uploads.cancel();              // when nobody wants them any more
//   co_await uploads.join();
#pragma once
#include <cstddef>

#include "seawall/async/scheduler.h"
#include "seawall/async/task.h"
#include "seawall/base/list.h"

namespace seawall {

class SEAWALL_API Scope : public ListNode {
 public:
  explicit Scope(Scope* parent = nullptr);
  ~Scope();

  // Starts the task now; it runs until its first wait before spawn returns. An exception out of it is handed to the
  // handler below (it ends that task alone).
  void spawn(Task<void> task);
  void cancel();
  bool cancelled() const { return cancelled_; }
  bool empty() const { return tasks_ == 0; }  // its own tasks; see all_ended()
  std::size_t tasks() const { return tasks_; }
  bool all_ended();  // no task runs here nor in any scope below

  // Waits until every spawned task has ended. Not cancellable by this scope itself: the awaiter runs in another one.
  auto join() { return Join(*this); }

  // Process-wide: who hears of exceptions that leave a spawned task. Set once at start.
  static void set_exception_handler(void (*handler)(std::exception_ptr));

 private:
  friend class AsyncLook;
  friend class Waiter;
  class Join {
   public:
    explicit Join(Scope& scope) : scope_(scope) {}
    bool await_ready() const { return scope_.empty(); }
    template <class P>
    void await_suspend(std::coroutine_handle<P> awaiter) { scope_.wait_for_end(waiter_, awaiter); }
    void await_resume() const {}

   private:
    Scope& scope_;
    Waiter waiter_{Waiter::tasks};
  };
  class Root;
  static Root run(Scope& scope, Task<void> task);
  void wait_for_end(Waiter& waiter, std::coroutine_handle<> awaiter);
  void task_ended();

  List<Waiter> waits_;
  List<Scope> children_;
  std::size_t tasks_ = 0;
  Waiter* joiner_ = nullptr;
  bool cancelled_ = false;
};

}  // namespace seawall
