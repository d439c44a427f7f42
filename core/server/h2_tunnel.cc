#include "seawall/server/h2_tunnel.h"

#include <nghttp2/nghttp2.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "seawall/base/text.h"
#include "seawall/net/loop.h"
#include "seawall/server/connection.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/deadline_after.h"
#include "seawall/server/h2_connection.h"
#include "seawall/server/h2_stream.h"
#include "seawall/server/websocket_key.h"
#include "seawall/server/worker_module.h"
#include "seawall/server/write_h2.h"

namespace seawall {
namespace {

constexpr std::size_t kRoom = 16 * 1024;

// The two directions; `end` is ours of the pair.
class TunnelPumps {
 public:
  TunnelPumps(H2Connection& h, H2Stream& s, Exchange& x, Fd end) : h_(h), s_(s), x_(x), end_(std::move(end)) {}

  // DATA of the client's into the tunnel; its window opens as the tunnel takes it.
  Task<void> in() {
    while (!s_.closed) {
      s_.arrived.reset();
      const std::string piece = std::exchange(s_.received, {});
      if (piece.empty() && s_.ends) {
        end_.end();
        co_return;
      }
      if (piece.empty()) {
        const Errc waited = co_await s_.arrived.wait(Deadline::never(Wait::idle));  // the tunnel bounds its silence
        if (waited != Errc::ok) co_return;
        continue;
      }
      const bool taken = co_await write(piece);
      if (!taken) co_return;
      if (s_.closed || s_.ends) continue;
      nghttp2_session_consume_stream(h_.session(), s_.id, piece.size());
      h_.wake_writer();
    }
  }

  // True: its end is out, too.
  Task<void> out() {
    std::unique_ptr<char[]> room;
    for (;;) {
      if (!room) room.reset(new char[kRoom]);
      const Io io = end_.try_read({room.get(), kRoom});
      if (io.kind == Io::want_read) {
        room.reset();
        const Errc waited = co_await end_.socket().wait(Socket::reading, Deadline::never(Wait::idle));
        if (waited != Errc::ok) co_return;
        continue;
      }
      const bool last = io.kind != Io::done;
      s_.output.give(last ? Slice() : Slice::copy({room.get(), io.n}), last);
      resume_h2_output(h_, s_);
      const bool gone = co_await wait_until_out();
      if (!gone || last) co_return;
    }
  }

 private:
  Task<bool> write(std::string_view left) {
    while (!left.empty()) {
      const iovec piece{const_cast<char*>(left.data()), left.size()};
      const Io io = end_.try_write({&piece, 1});
      if (io.kind == Io::done) {
        left.remove_prefix(io.n);
        continue;
      }
      if (io.kind != Io::want_write) co_return false;
      const Errc waited = co_await end_.socket().wait(Socket::writing, Deadline::never(Wait::upstream_send));
      if (waited != Errc::ok) co_return false;
    }
    co_return true;
  }

  // What was given has gone to the client, which has send_timeout for each bit of it.
  Task<bool> wait_until_out() {
    const std::int64_t from = x_.loop.now();
    const auto until = [&] { return deadline_after(std::max(from, s_.progress), *x_.core().send_timeout, Wait::send); };
    while (s_.output.last() ? !s_.end_sent : s_.output.left() > 0) {
      if (s_.closed) co_return false;
      s_.sent.reset();
      const Errc waited = co_await s_.sent.wait(until());
      if (waited == Errc::ok || (waited == Errc::timed_out && !until().passed())) continue;
      if (waited == Errc::timed_out) {
        h_.c.server.count_timeout(Wait::send);
        x_.log(Level::info, "client timed out while sending to client");
        h_.reset(s_, NGHTTP2_CANCEL);
      }
      co_return false;
    }
    co_return true;
  }

  H2Connection& h_;
  H2Stream& s_;
  Exchange& x_;
  Stream end_;
};

}  // namespace

void ask_for_websocket(RequestHead& head) {
  head.chunked = false;
  head.headers.set("Upgrade", head.tunnel);
  head.headers.set("Connection", "upgrade");
  head.headers.set("Sec-WebSocket-Key", make_websocket_key());
}

int tunnel_refused(const Exchange& x, const Response& response) {
  if (!std::holds_alternative<std::unique_ptr<Tunnel>>(response.body)) {
    if (response.status < 200 || response.status >= 300) return 0;
    x.log(Level::info, "client asked for a tunnel of \"websocket\" where there is none");
    return 501;
  }
  const Field* accept = nullptr;
  for (const Field& field : response.headers.all())
    if (equals_ignoring_case(field.name, "Sec-WebSocket-Accept")) accept = &field;
  std::string_view key;
  for (const Field& field : x.request.headers.all())
    if (equals_ignoring_case(field.name, "Sec-WebSocket-Key")) key = field.value;
  if (response.status == 101 && accept && accept->value == websocket_accept(key)) return 0;
  x.log(Level::error, "upstream sent no valid \"Sec-WebSocket-Accept\" header");
  return 502;
}

Task<bool> run_h2_tunnel(H2Connection& h, H2Stream& s, Exchange& x, Response& response) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
    x.log(Level::crit, "socketpair() failed (" + std::to_string(errno) + ")");
    co_return false;
  }
  Fd one(ends[0]), other(ends[1]);
  auto inner = std::make_unique<Stream>(std::move(one));
  TunnelPumps pumps(h, s, x, std::move(other));
  const std::unique_ptr<Tunnel> tunnel = std::move(std::get<std::unique_ptr<Tunnel>>(response.body));
  response.body = Body();
  response.status = x.status = 200;
  response.headers.remove("Sec-WebSocket-Accept");
  x.response = &response;
  s.output.give(Slice(), false);
  submit_h2_head(h, s, x, response, H2Followed::output);
  x.end_handler_clock();
  Scope& outer = co_await current_scope();
  Scope running(&outer), in(&outer), out(&outer);
  RunningTunnel registered(running);
  if (!Tunnels::of(x.loop).add(registered)) running.cancel();
  s.working = &running;  // what a client that leaves ends
  in.spawn(pumps.in());
  out.spawn(pumps.out());
  co_await tunnel->run(*inner, Slice()).in(running);
  s.working = nullptr;
  inner.reset();  // what is in the pair still comes out of it, and then its end
  in.cancel();
  co_await in.join();
  co_await out.join();
  x.bytes_sent = s.sent_wire;
  x.body_bytes_sent = s.sent_size;
  x.completed = s.end_sent;
  co_return s.end_sent;
}

}  // namespace seawall
