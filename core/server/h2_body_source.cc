#include "seawall/server/h2_body_source.h"

#include <nghttp2/nghttp2.h>

#include <utility>

#include "seawall/net/loop.h"
#include "seawall/server/body_deadline.h"
#include "seawall/server/connection.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/failures.h"
#include "seawall/server/h2_connection.h"
#include "seawall/server/h2_fields.h"
#include "seawall/server/h2_stream.h"

namespace seawall {

const Headers& H2BodySource::trailers() const { return s_.trailers; }
std::uint64_t H2BodySource::wire_size() const { return s_.body_wire; }

Piece H2BodySource::take() {
  const std::size_t size = s_.received.size();
  Piece piece(Slice::from(std::exchange(s_.received, {})), s_.ends);
  if (size > 0 && !s_.closed && !s_.ends) {
    nghttp2_session_consume_stream(h_.session(), s_.id, size);
    h_.wake_writer();
  }
  return piece;
}

void H2BodySource::read_away(const Exchange& x) {
  reading_away_ = true;
  s_.reading = false;
  away_ = Deadline::in(*x.core().lingering_time, Wait::linger).earlier(x.last_deadline(Wait::linger));
}

Deadline H2BodySource::deadline(const Exchange& x) const {
  if (reading_away_) return Deadline::in(*x.core().lingering_timeout, Wait::linger).earlier(away_);
  return body_deadline(x, s_.body_size, started_, waited_);
}

void H2BodySource::send_continue(Exchange& x) {
  x.request.expects_continue = false;
  H2Fields fields;
  fields.add(":status", "100");
  nghttp2_submit_headers(h_.session(), NGHTTP2_FLAG_NONE, s_.id, nullptr, fields.data(), fields.size(), nullptr);
  h_.wake_writer();
}

// For more, while the handler's clock stands still: it waits for the client, too.
Task<Result<void>> H2BodySource::wait(Exchange& x) {
  if (x.request.expects_continue && !reading_away_) send_continue(x);
  x.pause_handler_clock();
  const std::int64_t from = x.loop.now();
  if (started_ == 0) started_ = from;
  s_.arrived.reset();
  const Errc waited = co_await s_.arrived.wait(deadline(x));
  waited_ += x.loop.now() - from;
  if (!x.response_begun) x.body_waited += x.loop.now() - from;
  x.resume_handler_clock();
  if (waited == Errc::timed_out) {
    h_.c.server.count_timeout(reading_away_ ? Wait::linger : Wait::body);
    if (!reading_away_) x.log(failed(*x.vhost, Failure::timeout_body), "client timed out while reading client request body");
  }
  if (waited != Errc::ok) co_return waited;
  if (s_.closed && !s_.ends) {
    x.log(failed(*x.vhost, Failure::reset_body), "client prematurely closed stream while reading client request body");
    co_return Errc::peer_closed;
  }
  co_return Result<void>();
}

// Who wants all of a body takes it as fast as it comes: the client need not wait for each part of it to be read, which a
// connection of a long round trip would feel (nginx: the largest window there is).
void H2BodySource::expect_whole() {
  constexpr std::int32_t kWindow = 1 << 20;
  if (s_.ends || s_.closed || nghttp2_session_get_stream_effective_local_window_size(h_.session(), s_.id) >= kWindow) return;
  if (s_.body_length && *s_.body_length <= NGHTTP2_INITIAL_WINDOW_SIZE) return;
  nghttp2_session_set_local_window_size(h_.session(), NGHTTP2_FLAG_NONE, s_.id, kWindow);
  h_.wake_writer();
}

Task<Result<Piece>> H2BodySource::read(Exchange& x) {
  s_.reading = true;
  if (s_.broken) co_return Errc::bad_request;
  while (s_.received.empty() && !s_.ends) {
    if (s_.closed) co_return Errc::peer_closed;
    const Result<void> more = co_await wait(x);
    if (!more) co_return more.error();
    if (s_.broken) co_return Errc::bad_request;
  }
  co_return take();
}

}  // namespace seawall
