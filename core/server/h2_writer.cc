// The writer of an HTTP/2 connection: one task for all its streams.
#include <nghttp2/nghttp2.h>

#include "seawall/server/connection.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/failures.h"
#include "seawall/server/h2_connection.h"
#include "seawall/server/h2_stream.h"
#include "seawall/server/h2_weights.h"

namespace seawall {

Task<void> H2Connection::write() {
  for (;;) {
    wake_.reset();
    const bool out = co_await flush();
    if (!out) broken_ = true;
    if (!out || finished()) wake_reader();
    if (!out || stopping_) co_return;
    const Errc waited = co_await wake_.wait(Deadline::never(Wait::send));
    if (waited != Errc::ok) co_return;
  }
}

// All that there is to send now, with as few calls as the socket takes.
Task<bool> H2Connection::flush() {
  for (;;) {
    Io io = Io::of(0);
    if (!fill_and_send(io)) co_return false;
    if (io.kind == Io::done) io = c.stream->try_flush();
    if (io.kind == Io::done) co_return true;
    const bool writable = co_await wait_writable(io);
    if (!writable) co_return false;
  }
}

// Until there is nothing more (`io` is done) or the socket takes no more. False: nghttp2 has failed.
bool H2Connection::fill_and_send(Io& io) {
  const H2Outbox::More more{[](void* who) { return static_cast<H2Connection*>(who)->resume_yielded(); }, this};
  return outbox_.send(session(), *c.stream, c.info.tls != nullptr, more, io);
}

// Is there another stream that comes first, and can go on now?
bool H2Connection::must_yield(const H2Stream& stream) {
  if (!weights_) return false;
  for (H2Stream* other = streams_.front(); other; other = streams_.next(*other))
    if (other != &stream && other->has_output() && weights_->before(other->id, stream.id) &&
        nghttp2_session_get_stream_remote_window_size(session(), other->id) > 0)
      return true;
  return false;
}

// Nobody else can go on: the first of those that have stood back. Where the connection's window is shut that is one, so that
// its opening finds somebody in line: not all, who would have to stand back again for every byte of it.
bool H2Connection::resume_yielded() {
  if (!weights_ || nghttp2_session_want_write(session())) return false;
  const bool shut = nghttp2_session_get_remote_window_size(session()) <= 0;
  H2Stream* first = nullptr;
  for (H2Stream* stream = streams_.front(); stream; stream = streams_.next(*stream)) {
    if (shut && stream->has_output() && !stream->yielded && !stream->deferred) return false;  // in line already
    if (stream->yielded && (!first || weights_->before(stream->id, first->id))) first = stream;
  }
  if (!first) return false;
  first->yielded = false;
  nghttp2_session_resume_data(session(), first->id);
  return true;
}

Task<bool> H2Connection::wait_writable(Io io) {
  if (io.kind != Io::want_write) {
    c.log(failed(*c.vhost, Failure::reset_send), describe(error_of(io)) + " while sending to client");
    co_return false;
  }
  const Milliseconds timeout = c.send_timeout(*c.core);
  c.stretch_user_timeout(timeout);
  const Errc waited = co_await c.stream->socket().wait(Socket::writing, Deadline::in(timeout, Wait::send));
  if (waited == Errc::timed_out) {
    c.time_out(Wait::send, *c.core);
    c.log(failed(*c.vhost, Failure::timeout_send), "client timed out while sending to client");
  }
  co_return waited == Errc::ok;
}

}  // namespace seawall
