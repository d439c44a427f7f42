#include "seawall/server/handler_run.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "seawall/server/core_conf.h"
#include "seawall/server/error_pages.h"
#include "seawall/server/exchange.h"
#include "seawall/server/respond.h"
#include "seawall/server/under_deadline.h"

namespace seawall {
namespace {

// A client that has closed and left nothing unread: no further request, no rest of a body.
bool has_left(const Exchange& x) {
  if (x.outlives_client || x.request.version == Version::http2 || x.connection.fd < 0) return false;
  char byte;
  const ssize_t n = ::recv(x.connection.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

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

Task<std::optional<Response>> run_within_limits(Exchange& x, Task<std::optional<Response>> task) {
  UnderDeadline run(x, x.scope, std::move(task));
  std::optional<Response> response = co_await run;
  if (x.handler_timed_out) response = co_await timed_out(x);
  if (x.client_left) {
    x.log(Level::info, "client closed connection while the request was being processed");
    response.reset();
  }
  co_return response;
}

}  // namespace

void RequestWatch::start() {
  if (!x_->handler_clock_started()) x_->start_handler_clock();
  auto& scheduler = Scheduler::current();
  scheduler.arm(timer_, std::min(x_->handler_deadline(), scheduler.now() + 1'000'000'000));
}

void RequestWatch::stop() {
  if (timer_.armed()) Scheduler::current().disarm(timer_);
}

void RequestWatch::fire(Timer& timer) {
  RequestWatch& self = reinterpret_cast<RequestWatch&>(timer);
  if (self.x_->handler_deadline() <= Scheduler::current().now()) self.x_->handler_timed_out = true;
  else if (has_left(*self.x_)) self.x_->client_left = true;
  else return self.start();
  self.scope_->cancel();
}

Task<std::optional<Response>> run_handler(Exchange& x) { return run_within_limits(x, respond(x)); }

Task<std::optional<Response>> run_error(Exchange& x, int status) { return run_within_limits(x, respond_with(x, status)); }

}  // namespace seawall
