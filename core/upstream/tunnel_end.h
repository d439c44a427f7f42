// TunnelEnd: one end of a tunnel: a stream of its own, or a request's part of an HTTP/2 connection. A view; one loop.
#pragma once
#include <cerrno>

#include "seawall/upstream/h2_request.h"
#include "seawall/upstream/upstream_wait.h"

namespace seawall {

class TunnelEnd {
 public:
  explicit TunnelEnd(Stream& stream) : stream_(&stream) {}
  explicit TunnelEnd(UpstreamConnection& connection) : stream_(connection.stream.get()), request_(connection.request.get()) {}

  Io try_read(std::span<char> room) const {
    if (stream_) return stream_->try_read(room);
    const Io io = request_->try_read(room);
    if (io.kind != Io::done || io.n > 0) return io;
    return request_->end() == H2End::ended ? Io::ended() : Io::fail(ECONNRESET);
  }
  Io try_write(std::span<const iovec> pieces) const { return stream_ ? stream_->try_write(pieces) : request_->try_write(pieces); }
  Io try_flush() const { return stream_ ? stream_->try_flush() : Io::of(0); }
  // The end of our direction.
  void end() const {
    if (stream_) stream_->end();
    else request_->ends_after(0);
  }
  UpstreamWait wait(const Io& io, Deadline deadline) const { return UpstreamWait(stream_, request_, io, deadline); }
  // Ends a wait that is under way.
  void interrupt(Socket::Direction direction) const {
    if (stream_) stream_->socket().interrupt(direction, Errc::peer_closed);
    else request_->event(direction).set();
  }

 private:
  Stream* stream_;
  H2Request* request_ = nullptr;
};

}  // namespace seawall
