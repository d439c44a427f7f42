// HTTP/1.x on one connection, top to bottom: wait for a request, read its head, answer, log, read away what is left of its
// body, again. Pipelining is the loop. Runs on the connection's loop; the Connection outlives it.
#include <algorithm>
#include <exception>
#include <utility>

#include "seawall/http/h1_head.h"
#include "seawall/http/h1_response.h"
#include "seawall/http/hold_text.h"
#include "seawall/server/access_log.h"
#include "seawall/server/connection.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/error_pages.h"
#include "seawall/server/failures.h"
#include "seawall/server/h1_body_source.h"
#include "seawall/server/handler_run.h"
#include "seawall/server/http_conf.h"
#include "seawall/server/inform.h"
#include "seawall/server/more_input.h"
#include "seawall/server/old_browsers.h"
#include "seawall/server/respond.h"
#include "seawall/server/takeover.h"
#include "seawall/server/vhost.h"
#include "seawall/server/worker_module.h"
#include "seawall/server/write_h1.h"

namespace seawall {
namespace {

// The next request's first bytes, after an idle time of its own (B25). False: the connection is to be closed quietly.
Task<bool> wait_for_request(Connection& c) {
  c.in.release();
  if (c.server.closes_idle()) co_return false;
  const Milliseconds timeout =
      c.server.draining() ? std::max(*c.core->keepalive_min_timeout, Milliseconds(1)) : c.core->keepalive_timeout->timeout;
  c.become_idle();
  Socket& socket = c.stream->socket();
  // A read that filled its room to the last byte cannot know whether there was more.
  char byte;
  if (socket.may_read()) socket.try_peek({&byte, 1});
  const Errc waited = co_await socket.wait(Socket::reading, Deadline::in(timeout, Wait::idle));
  c.enter(ConnState::header);
  if (waited == Errc::timed_out) c.server.count_timeout(Wait::idle);
  co_return waited == Errc::ok;
}

// The whole head into `head`, within one total deadline from the first byte awaited (B19: dripping does not extend it).
Task<std::error_code> read_head(Connection& c, std::optional<RequestHead>& head) {
  HeadReader reader(c.vhost->head_limits);
  c.head_started = 0;
  c.head_clock.start(c.header_timeout(*c.vhost->core));
  for (;;) {
    if (!c.in.empty()) {
      if (c.head_started == 0) {
        c.head_started = c.server.loop.now();
        c.enter(ConnState::header);  // until something comes, it only waits
      }
      Result<std::optional<std::size_t>> end = reader.scan(c.in.view());
      if (!end) co_return end.error();
      if (*end) {
        head.emplace().headers.reserve(reader.fields());
        const Result<void> parsed = parse_head(c.in, **end, c.vhost->head_options, *head);
        co_return parsed ? std::error_code() : parsed.error();
      }
    }
    Result<void> more = co_await read_more(c, c.head_clock.next());
    if (more) continue;
    if (more.error() != Errc::timed_out) co_return more.error();
    const Errc late = c.head_is_late();
    if (late != Errc::ok) co_return late;
  }
}

// Whoever looks at the connection sees the request that it has.
class NamedExchange {
 public:
  NamedExchange(Connection& c, const Exchange& x) : c_(c) { c.exchange = &x; }
  ~NamedExchange() { c_.exchange = nullptr; }
  NamedExchange(const NamedExchange&) = delete;

 private:
  Connection& c_;
};

// Ends a request that never became one: says why if somebody is left to hear it.
Task<void> refuse(Connection& c, std::error_code error) {
  if (error == Errc::exhausted) c.abrupt = true;
  if (error == Errc::timed_out) {
    c.time_out(Wait::header, *c.vhost->core);
    c.log(failed(*c.vhost, Failure::timeout_header), "client timed out while reading client request headers");
    if (c.in.empty() || c.reset) co_return;  // a client that has sent nothing asked for nothing
  }
  const int status = status_of(error);
  if (status == 0) {
    if (error == Errc::tls_failed)
      c.log(failed(*c.vhost, tls_failure(c.info.tls->error_reason())), c.info.tls->error_text() + " while reading client request headers");
    else if (!c.in.empty())
      c.log(failed(*c.vhost, Failure::reset_header), "client prematurely closed connection while reading client request headers");
    co_return;
  }
  if (error == Errc::exhausted) c.log(failed(*c.vhost, Failure::too_many_headers), "too many unfinished request heads of this address");
  else if (error != Errc::timed_out) c.log(failed(*c.vhost, bad_request(error)), "client sent invalid request: " + error.message());
  RequestHead head;
  head.method_name = "";
  head.keep_alive = false;
  const auto text = skip_empty_lines(c.in.view());
  head.storage = c.in.block();
  head.request_line = text.substr(0, std::min(text.find_first_of("\r\n"), text.size()));
  Scope& scope = co_await current_scope();
  auto x = std::make_unique<Exchange>(c.info, std::move(head), *c.vhost, &scope);
  x->started = c.head_started;
  const NamedExchange named(c, *x);
  Outcome outcome{Response(status)};
  co_await run_handler(*x, outcome);
  if (std::exchange(x->handler_timed_out, false)) c.server.count_timeout(Wait::handler);
  auto* const response = std::get_if<Response>(&outcome);
  if (response) {
    c.enter(ConnState::send);
    co_await write_h1(c, *x, *response);
    c.linger = true;
  }
  x->status = response ? response->status : 444;
  log_exchange(*x);
  taken_over(*x).reset();  // of what is no request nobody goes on with the connection
  x->response = nullptr;
  outcome = Abort{};
  if (x->at_work()) co_await end_work(*x);
}

// Browsers of keepalive_disable: old ones of Microsoft after a POST, and Safari on a Mac.
bool loses_keepalive(const Exchange& x) {
  const KeepaliveDisable disabled = *x.core().keepalive_disable;
  if (disabled.safari && is_safari(x.request.headers.get(FieldId::user_agent))) return true;
  return disabled.msie6 && x.method == Method::post && is_msie6(x.request.headers.get(FieldId::user_agent));
}

// May the connection serve another request after this response?
bool reusable(const Connection& c, const Exchange& x, const Response& response) {
  const CoreConf& core = x.core();
  if (!x.keep_alive || response.close || c.server.draining()) return false;
  if (core.keepalive_timeout->timeout.count() <= 0) return false;
  if (c.info.requests >= static_cast<std::uint64_t>(*core.keepalive_requests)) return false;
  if (c.server.loop.now() - c.info.started > std::chrono::nanoseconds(*core.keepalive_time).count()) return false;
  if (loses_keepalive(x)) return false;
  // A client that was never told to continue may send its body or not: nobody can tell where the next request begins.
  if (x.request.expects_continue && !x.body.ended() && x.body.received() == 0) return false;
  return true;
}

// What is left of the body when the response is out; false: the next request could not be found behind it.
Task<bool> read_away_rest(Connection& c, Exchange& x, H1BodySource* source) {
  c.enter(ConnState::body);
  if (source) source->read_away(x);  // a module may have given the request another body
  const Result<void> rest = co_await x.body.discard(x);
  if (!rest) c.linger = true;
  co_return rest.has_value();
}

// The connection is a tunnel from now on, until both ends have ended.
Task<void> run_tunnel(Connection& c, Tunnel& tunnel) {
  c.enter(ConnState::tunnel);
  Scope& outer = co_await current_scope();
  c.stretch_user_timeout(c.send_timeout(*c.core));  // whenever its socket is full: the tunnel has it in its hands
  Scope scope(&outer);
  RunningTunnel running(scope);
  if (!Tunnels::of(c.server.loop).add(running)) co_return;
  Slice already_read;
  if (!c.in.empty()) already_read = c.in.take(c.in.size());
  c.in.release();
  co_await tunnel.run(*c.stream, std::move(already_read)).in(scope);
}

// Who has the connection from now on; null: the next request.
std::unique_ptr<Tunnel> tunnel_of(Exchange& x, Outcome& outcome, bool sent) {
  std::unique_ptr<Tunnel> taken = taken_over(x);  // and dropped where the response is complete all the same
  if (!sent) return taken;
  auto* tunnel = std::get_if<std::unique_ptr<Tunnel>>(&std::get<Response>(outcome).body);
  return tunnel ? std::move(*tunnel) : nullptr;
}

// The next request; null when none comes, and the client has been told what was wrong with it.
Task<std::unique_ptr<Exchange>> read_request(Connection& c, bool first) {
  std::optional<RequestHead> head;
  const std::error_code wrong = co_await read_head(c, head);
  c.head_clock.stop();
  if (wrong) {
    if (first || !c.in.empty()) co_await refuse(c, wrong);
    co_return nullptr;
  }
  ++c.info.requests;
  ++c.server.counts().requests;
  Scope& scope = co_await current_scope();
  auto x = make_exchange(c, c.info, std::move(*head), &scope);
  x->started = c.head_started;
  co_return x;
}

// What goes wrong outside a handler is the connection's end: nobody knows how much of the response is out.
bool give_up(Connection& c, std::exception_ptr failed) {
  c.log_exception(failed);
  c.close_with_reset();
  return false;
}

// One request from its handler to its log line; true when the connection can take another.
Task<bool> one_request(Connection& c, std::unique_ptr<Exchange> owner) {
  Exchange& x = *owner;
  const NamedExchange named(c, x);
  std::unique_ptr<H1BodySource> source;
  H1Informer informer(c);
  Outcome outcome{Next{}};
  std::unique_ptr<Tunnel> tunnel;
  bool sent = false;
  std::exception_ptr failed;
  try {
    if (x.request.version == Version::http11) x.informer = &informer;
    if (x.request.chunked || x.request.content_length.value_or(0) > 0) {
      source = std::make_unique<H1BodySource>(c, x.request);
      x.body.attach(source.get(), x.request.content_length);
    }
    c.relax_user_timeout();
    c.enter(ConnState::handler);
    if (const int wrong = wrong_connection(c, x)) outcome = Response(wrong);
    co_await run_handler(x, outcome, &c.stream->socket());
    if (std::exchange(x.handler_timed_out, false)) c.server.count_timeout(Wait::handler);
    c.core = &x.core();
    x.informer = nullptr;
    auto* const response = std::get_if<Response>(&outcome);
    if (response) {
      x.keep_alive = reusable(c, x, *response);
      c.enter(ConnState::send);
      sent = co_await write_h1(c, x, *response);
    }
    if (tunnel = tunnel_of(x, outcome, sent); tunnel) {
      if (!sent) c.linger = true;
      // It may last for days. Copies of the request (mirror, a script's capture) have views of the text.
      if (x.scope.all_ended() && x.background.all_ended()) hold_text_alone(x.request);
      co_await run_tunnel(c, *tunnel);
      sent = false;
    } else if (!response) {
      x.status = x.client_left ? 499 : 444;
      ++c.server.counts().aborts;
    }
    log_exchange(x);
  } catch (...) {
    failed = std::current_exception();
  }
  x.informer = nullptr;
  x.response = nullptr;
  if (failed) tunnel = taken_over(x);
  tunnel.reset();
  outcome = Abort{};
  if (x.at_work()) co_await end_work(x);
  if (failed) co_return give_up(c, failed);
  if (!sent || x.body.ended()) co_return sent && x.keep_alive;
  if (x.keep_alive) co_return co_await read_away_rest(c, x, source.get());
  c.linger = true;
  co_return false;
}

}  // namespace

// An idle connection holds this frame, so it is small: neither the head nor the Exchange is in it.
Task<void> serve_h1(Connection& c) {
  for (bool first = true;; first = false) {
    // Some clients send an empty line behind a body: it begins nothing.
    if (!first) c.in.consume(c.in.size() - skip_empty_lines(c.in.view()).size());
    const bool waiting = c.in.empty() && !c.stream->has_buffered_input();
    c.info.pipelined = !first && !waiting;
    if (!first && waiting) {
      const bool more = co_await wait_for_request(c);
      if (!more) co_return;
    }
    std::unique_ptr<Exchange> x = co_await read_request(c, first);
    if (!x) co_return;
    const bool again = co_await one_request(c, std::move(x));
    if (!again) co_return;
  }
}

}  // namespace seawall
