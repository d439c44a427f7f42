// UpstreamWait: `co_await UpstreamWait(connection, io, deadline)` waits for what an attempt to read or write wanted, of a socket or of
// a stream of HTTP/2: ok, timed_out, cancelled. One loop.
#pragma once
#include <optional>
#include <utility>

#include "seawall/async/event.h"
#include "seawall/net/socket.h"
#include "seawall/upstream/h2_request.h"
#include "seawall/upstream/pool.h"

namespace seawall {

class UpstreamWait {
 public:
  UpstreamWait(UpstreamConnection& connection, const Io& io, Deadline deadline)
      : UpstreamWait(connection.stream.get(), connection.request.get(), io, deadline) {}
  // One of them.
  UpstreamWait(Stream* stream, H2Request* request, const Io& io, Deadline deadline) {
    const auto direction = io.kind == Io::want_write ? Socket::writing : Socket::reading;
    if (stream) socket_.emplace(stream->socket(), direction, deadline);
    else event_.emplace(request->event(direction), deadline);
  }
  bool await_ready() const { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> awaiter) {
    return socket_ ? socket_->await_suspend(awaiter) : event_->await_suspend(awaiter);
  }
  Errc await_resume() { return socket_ ? socket_->await_resume() : event_->await_resume(); }

 private:
  using EventAwaiter = decltype(std::declval<Event&>().wait(std::declval<Deadline>()));
  std::optional<Socket::Awaiter> socket_;
  std::optional<EventAwaiter> event_;
};

}  // namespace seawall
