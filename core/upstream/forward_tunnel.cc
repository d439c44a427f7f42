// After 101: bytes in both directions until both have ended. An end of one is passed on, the other goes on. Whoever is silent in
// both for read_timeout has left.
#include <exception>
#include <utility>

#include "seawall/net/loop.h"
#include "seawall/upstream/forwarding.h"

namespace seawall {
namespace {

constexpr std::size_t kRoom = 16 * 1024;

}  // namespace

Task<void> Forwarding::copy(std::shared_ptr<Forwarding> self, TunnelEnd from, TunnelEnd to, Slice first, bool to_client) {
  Forwarding& f = *self;
  const auto silent_until = [&f] {
    return Deadline::at(f.last_read_ + std::chrono::nanoseconds(f.read_timeout()).count(), Wait::upstream_read);
  };
  std::unique_ptr<char[]> memory;
  std::string_view left = first.view();
  bool ended = false;
  while (!f.broken_ && (!ended || !left.empty())) {
    Io io = Io::wants_read();
    if (!left.empty()) {
      const iovec piece{const_cast<char*>(left.data()), left.size()};
      io = to.try_write({&piece, 1});
      if (io.kind == Io::done) {
        left.remove_prefix(io.n);
        if (to_client) {
          f.x_.bytes_sent += io.n;
          f.x_.body_bytes_sent += io.n;
        } else {
          f.attempts_.all[f.attempt_].bytes_sent += io.n;
        }
        if (left.empty()) first = Slice();
      }
    } else {
      io = to.try_flush();
      if (io.kind == Io::done) {
        if (!memory) memory.reset(new char[kRoom]);
        io = from.try_read({memory.get(), kRoom});
        if (io.kind == Io::done) {
          left = {memory.get(), io.n};
          if (to_client) f.attempts_.all[f.attempt_].bytes_received += io.n;
        }
        if (io.kind == Io::want_read) memory.reset();  // an idle tunnel holds no buffer
        if (io.kind == Io::eof) {
          ended = true;
          continue;
        }
      }
    }
    if (io.kind == Io::done) {
      f.last_read_ = f.x_.loop.now();
      continue;
    }
    if (io.kind != Io::want_read && io.kind != Io::want_write) break;
    const TunnelEnd& waits_for = io.kind == Io::want_write ? to : from;
    const Errc waited = co_await waits_for.wait(io, silent_until());
    if (waited == Errc::ok || (waited == Errc::timed_out && !silent_until().passed())) continue;
    if (waited == Errc::timed_out && !std::exchange(f.ended_, true)) f.log(Level::error, "upstream timed out (110: Connection timed out)");
    break;
  }
  if (ended) {
    to.end();
    co_return;
  }
  f.broken_ = Errc::peer_closed;
  // Broken, or silent for too long: the other direction has no use either.
  from.interrupt(Socket::writing);
  to.interrupt(Socket::reading);
}

Task<void> Forwarding::tunnel(Stream& client, Slice already_read) {
  const auto self = shared_from_this();
  Scope& outer = co_await current_scope();
  Scope directions(&outer);
  last_read_ = x_.loop.now();
  const TunnelEnd ours(client), theirs(*connection_);
  directions.spawn(copy(self, ours, theirs, std::move(already_read), false));
  Slice first;
  if (!connection_->in.empty()) first = connection_->in.take(connection_->in.size());
  connection_->in.release();
  head_ = std::string();
  pieces_ = {};
  // Not spawned: where the client ends first, as most do, the request's line is in the log before anything that comes after.
  std::exception_ptr failed;
  try {
    co_await copy(self, theirs, ours, std::move(first), true).in(directions);
  } catch (...) {
    failed = std::current_exception();
    directions.cancel();
  }
  co_await directions.join();
  if (failed) std::rethrow_exception(failed);
  ended_ = true;
  end_attempt(Tried::done);
  x_.upstream.clear();
}

}  // namespace seawall
