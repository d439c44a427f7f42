#include "seawall/server/handler_run.h"

#include <sys/socket.h>

#include <algorithm>

#include "seawall/server/core_conf.h"
#include "seawall/server/error_pages.h"
#include "seawall/server/exchange.h"
#include "seawall/server/respond.h"

namespace seawall {
namespace {

// A client that has closed and left nothing unread: no further request, no rest of a body.
bool has_left(const Exchange& x) {
  if (x.outlives_client || x.request.version == Version::http2 || x.connection.fd < 0) return false;
  char byte;
  const ssize_t n = ::recv(x.connection.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

// Awaits a task in a scope of its own; arms a timer only if the task suspends. The deadline may move while it runs: the
// timer compares.
class UnderDeadline {
 public:
  UnderDeadline(Exchange& x, Scope& scope, Task<std::optional<Response>> task)
      : x_(x), task_(std::move(task).in(scope)) {
    armed_.x = &x;
    armed_.scope = &scope;
  }
  bool await_ready() const { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> awaiter) {
    if (!task_.await_suspend(awaiter)) return false;
    if (!x_.deadline_moved()) x_.start_handler_clock();
    armed_.look_again();
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
    Scope* scope = nullptr;
    // At the deadline, and at the latest in a second: the deadline may move or stand still meanwhile, the client may leave.
    void look_again() {
      auto& scheduler = Scheduler::current();
      scheduler.arm(timer, std::min(x->handler_deadline(), scheduler.now() + 1'000'000'000));
    }
    static void fire(Timer& timer) {
      Armed& self = reinterpret_cast<Armed&>(timer);  // the timer is its first member
      Exchange& x = *self.x;
      if (x.handler_deadline() <= Scheduler::current().now()) x.handler_timed_out = true;
      else if (has_left(x)) x.client_left = true;
      else return self.look_again();
      self.scope->cancel();
    }
  };
  Exchange& x_;
  Task<std::optional<Response>> task_;
  Armed armed_;
};

// The 503 of a handler that took too long. Its error_page may lead to another handler: that has a time of its own, once.
Task<std::optional<Response>> timed_out(Exchange& x) {
  x.log(Level::error, "handler timed out");
  Scope& outer = co_await current_scope();
  Scope again(&outer);
  x.start_handler_clock();
  x.handler_timed_out = false;
  UnderDeadline run(x, again, respond_with(x, 503));
  std::optional<Response> response = co_await run;
  if (x.handler_timed_out) {
    response.emplace(503);
    add_default_page(x, *response);
  }
  x.handler_timed_out = true;
  co_return response;
}

}  // namespace

Task<std::optional<Response>> run_handler(Exchange& x) {
  UnderDeadline run(x, x.scope, respond(x));
  std::optional<Response> response = co_await run;
  if (x.handler_timed_out) response = co_await timed_out(x);
  if (x.client_left) {
    x.log(Level::info, "client closed connection while the request was being processed");
    response.reset();
  }
  co_return response;
}

}  // namespace seawall
