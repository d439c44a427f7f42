#include "seawall/server/h1_body_source.h"

#include <algorithm>

#include "seawall/server/body_deadline.h"
#include "seawall/server/connection.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/failures.h"

namespace seawall {
namespace {

constexpr std::size_t kReadSize = 16 * 1024;

}  // namespace

H1BodySource::H1BodySource(Connection& connection, const RequestHead& head)
    : c_(connection), left_(head.content_length.value_or(0)), chunked_(head.chunked),
      continue_due_(head.expects_continue) {}

Deadline H1BodySource::deadline(const Exchange& x) const {
  if (reading_away_) return Deadline::in(*x.core().lingering_timeout, Wait::linger).earlier(away_);
  return body_deadline(x, received_, started_, waited_);
}

void H1BodySource::read_away(const Exchange& x) {
  reading_away_ = true;
  continue_due_ = false;  // the response is out
  const CoreConf& core = x.core();
  const bool off = core.lingering_time->count() <= 0 || core.lingering_timeout->count() <= 0;  // only what is here already
  away_ = off ? Deadline::at(x.loop.now(), Wait::linger)
              : Deadline::in(*core.lingering_time, Wait::linger).earlier(x.last_deadline(Wait::linger));
}

Task<Result<void>> H1BodySource::send_continue(Exchange& x) {
  continue_due_ = false;
  Result<void> sent = co_await write_all(*c_.stream, "HTTP/1.1 100 Continue\r\n\r\n", *x.core().send_timeout, Wait::send);
  if (!sent && sent.error() == Errc::timed_out) {
    c_.time_out(Wait::send, x.core());
    x.log(failed(*x.vhost, Failure::timeout_send), "client timed out while sending 100 Continue to client");
  }
  co_return sent;
}

Task<Result<void>> H1BodySource::receive(Exchange& x) {
  const std::int64_t from = x.loop.now();
  if (started_ == 0) started_ = from;
  Result<std::size_t> n = co_await read_some(*c_.stream, c_.in.prepare(kReadSize), deadline(x));
  waited_ += x.loop.now() - from;
  if (!x.response_begun) x.body_waited += x.loop.now() - from;
  if (n) c_.in.commit(*n);
  else if (n.error() == Errc::timed_out) {
    c_.time_out(reading_away_ ? Wait::linger : Wait::body, x.core());
    x.log(failed(*x.vhost, Failure::timeout_body), "client timed out while reading client request body");
  } else if (n.error() != Errc::cancelled || x.client_left) {  // whoever has seen it first
    x.log(failed(*x.vhost, Failure::reset_body), "client prematurely closed connection while reading client request body");
  }
  co_return n ? Result<void>() : Result<void>(n.error());
}

// More input, while the handler's clock stands still: it waits for the client, too.
Task<Result<void>> H1BodySource::fill(Exchange& x) {
  const ConnState before = c_.state();
  c_.enter(ConnState::body);
  x.pause_handler_clock();
  Result<void> done;
  if (continue_due_) done = co_await send_continue(x);
  if (done) done = co_await receive(x);
  x.resume_handler_clock();
  c_.enter(before);
  co_return done;
}

Result<Piece> H1BodySource::cut_known() {
  const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, c_.in.size()));
  left_ -= n;
  received_ += n;
  return Piece(c_.in.take(n), left_ == 0);
}

// The next piece of data in what is buffered; nothing when more input is needed.
Result<std::optional<Piece>> H1BodySource::cut_chunked() {
  const auto fed = decoder_.feed(c_.in.view());
  if (!fed) return fed.error();
  std::string data;
  for (std::string_view part : fed->data) data.append(part);
  c_.in.consume(fed->consumed);
  received_ += fed->consumed;
  if (!fed->done && data.empty()) return std::optional<Piece>();
  return std::optional<Piece>(Piece(Slice::from(std::move(data)), fed->done));
}

Task<Result<Piece>> H1BodySource::read(Exchange& x) {
  for (;;) {
    if (!c_.in.empty()) {
      if (!chunked_) co_return cut_known();
      Result<std::optional<Piece>> piece = cut_chunked();
      if (!piece) co_return piece.error();
      if (*piece) co_return std::move(**piece);
    }
    Result<void> filled = co_await fill(x);
    if (!filled) co_return filled.error();
  }
}

}  // namespace seawall
