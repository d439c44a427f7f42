// UnderDeadline: awaits a task of a request in a scope of its own until the request's deadline (Exchange), which may move
// while it runs: the timer compares. It is armed only if the task suspends. One loop.
//
//   UnderDeadline run(x, scope, respond(x, outcome));
//   co_await run;                       // x.handler_timed_out, x.client_left: the scope was cancelled, and why
#pragma once
#include <coroutine>
#include <utility>

#include "seawall/async/scheduler.h"
#include "seawall/async/task.h"
#include "seawall/server/exchange.h"

namespace seawall {

class Socket;

// Looks at the deadline, and at the client when its socket says that it has gone, at the latest every second: the one may move or
// stand still, the other leave. `client`: the connection's, which outlives this; null: only once a second.
class RequestWatch {
 public:
  RequestWatch(Exchange& x, Scope& scope, Socket* client) : x_(&x), scope_(&scope), client_(client) {}
  void start();
  void stop();

 private:
  static void fire(Timer& timer);
  Timer timer_{&RequestWatch::fire};  // the first member: fire() finds the rest by it
  Exchange* const x_;
  Scope* const scope_;
  Socket* const client_;
};

template <class T>
class UnderDeadline {
 public:
  UnderDeadline(Exchange& x, Scope& scope, Task<T> task, Socket* client = nullptr)
      : task_(std::move(task).in(scope)), watch_(x, scope, client) {}
  bool await_ready() const { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> awaiter) {
    if (!task_.await_suspend(awaiter)) return false;
    watch_.start();
    return true;
  }
  T await_resume() {
    watch_.stop();
    return task_.await_resume();
  }

 private:
  Task<T> task_;
  RequestWatch watch_;
};

}  // namespace seawall
