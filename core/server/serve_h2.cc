// HTTP/2 on one connection: its streams, each a task that does for one request what serve_h1 does for one after another:
// answer, send, log. Runs on the connection's loop; the Connection outlives it.
#include <nghttp2/nghttp2.h>

#include <exception>
#include <utility>

#include "seawall/async/look.h"
#include "seawall/net/loop.h"
#include "seawall/server/access_log.h"
#include "seawall/server/connection.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/failures.h"
#include "seawall/server/h2_body_source.h"
#include "seawall/server/h2_connection.h"
#include "seawall/server/h2_stream.h"
#include "seawall/server/h2_tunnel.h"
#include "seawall/server/handler_run.h"
#include "seawall/server/inform.h"
#include "seawall/server/vhost.h"
#include "seawall/server/write_h2.h"

namespace seawall {
namespace {

// The status that refuses the request before a handler sees it; 0: none.
int refusal_of(const Connection& c, const H2Stream& s, const Exchange& x) {
  if (s.malformed) {
    x.log(failed(*x.vhost, Failure::bad_request_http2), s.malformed_reason);
    return s.malformed;
  }
  return wrong_connection(c, x);
}

Task<void> answer(H2Connection& h, H2Stream& s, Exchange& x, Outcome& outcome) {
  s.working = &x.scope;
  if (const int wrong = refusal_of(h.c, s, x)) outcome = Response(wrong);
  co_await run_handler(x, outcome);
  const auto* response = std::get_if<Response>(&outcome);
  const int refused = response && !x.request.tunnel.empty() && !s.closed ? tunnel_refused(x, *response) : 0;
  if (refused) {
    outcome = Response(refused);
    co_await run_handler(x, outcome);
  }
  s.working = nullptr;
  if (std::exchange(x.handler_timed_out, false)) h.c.server.count_timeout(Wait::handler);
}

// The body stopped coming: nobody waits for the rest of it.
bool is_late(const H2Stream& s, const Exchange& x) { return !s.ends && x.status == 408; }

// What is left to say to nghttp2 when the response is out, or could not be made or sent.
void end_stream(H2Connection& h, H2Stream& s, const Exchange& x, bool sent) {
  const bool wrong = s.malformed || s.broken || is_late(s, x);  // a late body is a PROTOCOL_ERROR in nginx, too
  if (wrong) nghttp2_submit_rst_stream(h.session(), NGHTTP2_FLAG_NONE, s.id, NGHTTP2_PROTOCOL_ERROR);
  else if (!sent) h.reset(s, x.aborted ? NGHTTP2_INTERNAL_ERROR : NGHTTP2_CANCEL);
  else if (!s.ends) h.reset(s, NGHTTP2_NO_ERROR);  // the rest of the body is of no use (RFC 9113 8.1)
  if (wrong) h.wake_writer();
}

// The response is out and the client is still sending: what is left is read away, as long as HTTP/1 would, so that it need
// not deal with a reset in the middle of its body. A reset comes when that takes too long, or is too much.
Task<void> read_away_rest(H2Stream& s, Exchange& x, H2BodySource& source) {
  const CoreConf& core = x.core();
  const bool off = *core.lingering_close == LingeringClose::off || core.lingering_time->count() <= 0 ||
                   core.lingering_timeout->count() <= 0;
  const std::int64_t limit = *core.client_max_body_size;
  const bool too_much = limit > 0 && x.body.length().value_or(0) > static_cast<std::uint64_t>(limit);
  const bool begun = s.body_size > 0;  // nothing of it is on its way, or only now: it need not come
  if (off || too_much || !begun || is_late(s, x) || x.body_refused || x.request.expects_continue) co_return;
  source.read_away(x);
  const Result<void> rest = co_await x.body.discard(x);
  if (!rest && rest.error() == Errc::body_too_large) x.body_refused = true;
  s.discarding = true;
}

// Nobody gets an answer: the client has left, or is to have none.
void end_unanswered(H2Connection& h, const H2Stream& s, Exchange& x) {
  x.status = s.closed ? 499 : 444;
  ++h.c.server.counts().aborts;
}

// What goes wrong outside a handler ends the stream, once what it has at work has ended.
Task<void> give_up(H2Connection& h, H2Stream& s, Exchange* x, std::exception_ptr failed) {
  h.c.log_exception(failed);
  s.working = nullptr;
  if (x) {
    x->response = nullptr;
    x->informer = nullptr;
    if (x->at_work()) co_await end_work(*x);
  }
  h.reset(s, NGHTTP2_INTERNAL_ERROR);
}

}  // namespace

Task<void> serve_h2_stream(H2Connection& h, H2Stream& s) {
  Scope& scope = co_await current_scope();
  s.task = co_await current_coroutine();
  H2BodySource source(h, s);
  H2Informer informer(h, s);
  std::unique_ptr<Exchange> owner;
  std::exception_ptr failed;
  try {
    owner = make_exchange(h.c, s.info, std::move(s.head), &scope);
    Exchange& x = *owner;
    s.exchange = &x;
    x.started = s.started;
    x.informer = &informer;
    if (!s.malformed && s.has_body && x.request.tunnel.empty()) x.body.attach(&source, x.request.content_length);
    Outcome outcome{Next{}};
    co_await answer(h, s, x, outcome);
    auto* const response = std::get_if<Response>(&outcome);
    h.c.core = &x.core();
    bool sent = false;
    const bool tunnel = response && std::holds_alternative<std::unique_ptr<Tunnel>>(response->body);
    if (tunnel && !s.closed) sent = co_await run_h2_tunnel(h, s, x, *response);
    else if (response && !s.closed) sent = co_await write_h2(h, s, x, *response);
    else end_unanswered(h, s, x);
    log_exchange(x);
    x.response = nullptr;
    x.informer = nullptr;
    outcome = Abort{};
    s.working = nullptr;
    if (x.at_work()) co_await end_work(x);
    if (sent && !s.ends && !s.closed && !s.malformed && !s.broken) co_await read_away_rest(s, x, source);
    end_stream(h, s, x, sent);
  } catch (...) {
    failed = std::current_exception();
  }
  if (failed) co_await give_up(h, s, owner.get(), std::move(failed));
  s.exchange = nullptr;
  s.task = {};  // nghttp2 may still know the stream when another task has this memory
  owner.reset();  // it refers to the stream's ConnectionInfo, and served() ends the stream
  h.served(s);
}

Task<void> serve_h2(Connection& c) {
  H2Connection h(c);
  co_await h.run();
}

}  // namespace seawall
