#include "seawall/server/handler_run.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "seawall/net/socket.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/error_pages.h"
#include "seawall/server/exchange.h"
#include "seawall/server/failures.h"
#include "seawall/server/live_explain.h"
#include "seawall/server/respond.h"
#include "seawall/server/under_deadline.h"
#include "seawall/tls/tls_stream.h"

namespace seawall {
namespace {

// The head of a TLS record in which a client says goodbye: an alert, which TLS 1.3 dresses as data of two bytes. Whether it
// was one, and not two bytes of a next request, the end of what it sends tells: with that no request can follow.
bool is_goodbye(const Exchange& x, const unsigned char (&record)[5]) {
  constexpr unsigned char alert = 21, data = 23, dressed = 2 + 1 + 16;
  if (record[0] != alert && !(record[0] == data && record[3] == 0 && record[4] == dressed)) return false;
  pollfd ended{x.connection.fd, POLLRDHUP, 0};
  return ::poll(&ended, 1, 0) == 1 && (ended.revents & POLLRDHUP) && x.body.ended();
}

// A client that has closed and left nothing unread: no further request, no rest of a body.
bool has_left(const Exchange& x) {
  if (x.outlives_client || x.request.version == Version::http2 || x.connection.fd < 0) return false;
  unsigned char bytes[5];
  const ssize_t n = ::recv(x.connection.fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
  if (n == 0) return true;
  if (n < 0) return errno != EAGAIN && errno != EINTR;
  const TlsStream* tls = x.connection.tls;
  return n == sizeof bytes && tls && !tls->is_plain() && !tls->has_buffered_input() && is_goodbye(x, bytes);
}

// The 503 of a handler that took too long. Its error_page may lead to another handler: that has a time of its own, once.
Task<void> timed_out(Exchange& x, Outcome& outcome) {
  count_failure(*x.vhost, Failure::timeout_handler);
  x.log(Level::error, "handler timed out");
  Scope& outer = co_await current_scope();
  Scope again(&outer);
  x.start_handler_clock();
  x.handler_timed_out = false;
  outcome = Response(503);
  UnderDeadline run(x, again, respond(x, outcome));
  co_await run;
  if (x.handler_timed_out) {
    outcome = Response(503);
    add_default_page(x, std::get<Response>(outcome));
  }
  x.handler_timed_out = true;
}

}  // namespace

Task<void> run_handler(Exchange& x, Outcome& outcome, Socket* client) {
  UnderDeadline run(x, x.scope, respond(x, outcome), client);
  co_await run;
  if (x.handler_timed_out) co_await timed_out(x, outcome);
  x.response_begun = x.loop.now();
  if (x.client_left) {
    // In the middle of its body, whoever reads that counts it.
    x.log(x.body.ended() ? failed(*x.vhost, Failure::reset_handler) : Level::info, "client closed connection while the request was being processed");
    outcome = Abort{};
  }
  if (!x.parent) put_explanation(x, outcome);
}

void RequestWatch::start() {
  if (client_) client_->tell_when_gone(&timer_);
  if (!x_->handler_clock_started()) x_->start_handler_clock();
  auto& scheduler = Scheduler::current();
  scheduler.arm(timer_, std::min(x_->handler_deadline(), scheduler.now() + 1'000'000'000));
}

void RequestWatch::stop() {
  if (client_) client_->tell_when_gone(nullptr);
  if (timer_.armed()) Scheduler::current().disarm(timer_);
}

void RequestWatch::fire(Timer& timer) {
  RequestWatch& self = reinterpret_cast<RequestWatch&>(timer);
  if (self.x_->handler_deadline() <= Scheduler::current().now()) self.x_->handler_timed_out = true;
  else if (has_left(*self.x_)) self.x_->client_left = true;
  else return self.start();
  self.scope_->cancel();
}

Task<void> end_work(Exchange& x) {
  x.scope.cancel();
  co_await x.scope.join();
  co_await x.background.join();
}

}  // namespace seawall
