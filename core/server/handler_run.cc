#include "seawall/server/handler_run.h"

#include <algorithm>

#include "seawall/server/core_conf.h"
#include "seawall/server/exchange.h"
#include "seawall/server/respond.h"

namespace seawall {
namespace {

// Awaits a task; arms a timer only if the task suspends. The deadline may move while it runs: the timer compares.
class UnderDeadline {
 public:
  UnderDeadline(Exchange& x, Task<std::optional<Response>> task) : x_(x), task_(std::move(task).in(x.scope)) {
    armed_.x = &x;
  }
  bool await_ready() const { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> awaiter) {
    if (!task_.await_suspend(awaiter)) return false;
    if (!x_.deadline_moved()) x_.start_handler_clock();
    if (x_.core().handler_timeout->count() > 0 || x_.deadline_moved()) Armed::look_again(armed_.timer, x_);
    return true;
  }
  std::optional<Response> await_resume() {
    if (armed_.timer.armed()) Scheduler::current().disarm(armed_.timer);
    return task_.await_resume();
  }

 private:
  struct Armed {
    Timer timer{&Armed::fire};
    Exchange* x = nullptr;
    // At the deadline; it may move meanwhile, or stand still while the client's body is awaited: at the latest in a second.
    static void look_again(Timer& timer, const Exchange& x) {
      auto& scheduler = Scheduler::current();
      scheduler.arm(timer, std::min(x.handler_deadline(), scheduler.now() + 1'000'000'000));
    }
    static void fire(Timer& timer) {
      Exchange& x = *reinterpret_cast<Armed&>(timer).x;
      if (x.handler_deadline() > Scheduler::current().now()) return look_again(timer, x);
      x.handler_timed_out = true;
      x.scope.cancel();
    }
  };
  Exchange& x_;
  Task<std::optional<Response>> task_;
  Armed armed_;
};

}  // namespace

Task<std::optional<Response>> run_handler(Exchange& x) {
  UnderDeadline run(x, respond(x));
  std::optional<Response> response = co_await run;
  if (!x.handler_timed_out) co_return response;
  x.log(Level::error, "handler timed out");
  response = co_await respond_with(x, 503);
  co_return response;
}

}  // namespace seawall
