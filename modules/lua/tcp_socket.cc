#include "tcp_socket.h"

#include "seawall/async/event.h"
#include "seawall/base/text.h"
#include "seawall/log/log.h"
#include "seawall/net/loop.h"

namespace seawall::lua {
namespace {

constexpr std::size_t kSweep = 64;  // so many new pools cost one look for empty ones

void say(const std::string& line) {
  if (logs_at(main_log(), Level::debug)) log(Level::debug, line);
}

}  // namespace

std::string TcpSocket::take(std::size_t size) {
  std::string text = in.substr(at, size);
  at += text.size();
  if (at == in.size()) {
    in.clear();
    at = 0;
  }
  return text;
}

void TcpSocket::close() {
  if (stream) stream->end();
  stream.reset();
  borrowed = nullptr;
  in.clear();
  at = 0;
}

void TcpSocket::abandon() {
  close();
  reads_body = false;
}

void TcpSocket::settle() {
  if (read_closed && write_closed && !busy() && !borrowed && !reads_body) close();
}

void Pools::wake(Idle& idle) {
  idle.gone = true;
  idle.kept.stream->socket().interrupt(Socket::reading, Errc::cancelled);
}

Pools::Kept Pools::take(const std::string& pool) {
  const auto found = state_->idle.find(pool);
  Kept kept;
  if (found == state_->idle.end()) return kept;
  // One that this leaves empty stays for a while: the connection goes back to it.
  while (!found->second.empty() && !kept.stream) {
    const IdlePtr idle = found->second.back();
    found->second.pop_back();
    wake(*idle);
    // What has something to say unasked, or has ended, is of no use.
    char byte;
    if (idle->kept.stream->socket().try_peek({&byte, 1}).kind == Io::want_read) kept = std::move(idle->kept);
  }
  return kept;
}

void Pools::keep(const std::string& pool, Kept kept, std::int64_t size, std::int64_t time) {
  if (!state_->idle.contains(pool) && ++pools_made_ % kSweep == 0)
    std::erase_if(state_->idle, [](const auto& of) { return of.second.empty(); });
  const auto [found, made] = state_->idle.try_emplace(pool);
  if (made) say("lua tcp socket keepalive create connection pool for key \"" + pool + "\"");
  if (made) say("lua tcp socket connection pool size: " + std::to_string(size));
  auto& all = found->second;
  while (!all.empty() && static_cast<std::int64_t>(all.size()) >= size) {
    wake(*all.front());
    all.pop_front();
  }
  auto idle = std::make_shared<Idle>();
  idle->kept = std::move(kept);
  all.push_back(idle);
  loop_.scope().spawn(watch(state_, pool, idle, time));
}

// Until it is taken, its time is over, or the peer does anything.
Task<void> Pools::watch(std::shared_ptr<State> state, std::string pool, IdlePtr idle, std::int64_t time) {
  const Deadline deadline = time > 0 ? Deadline::in(Milliseconds(time), Wait::idle) : Deadline::never(Wait::idle);
  char byte;
  if (idle->kept.stream->socket().may_read()) idle->kept.stream->socket().try_peek({&byte, 1});
  co_await idle->kept.stream->socket().wait(Socket::reading, deadline);
  if (idle->gone) co_return;
  say("lua tcp socket keepalive close handler: fd:" + std::to_string(idle->kept.stream->socket().fd()));
  state->idle[pool].remove(idle);
  if (state->idle[pool].empty()) {
    say("lua tcp socket keepalive: free connection pool for \"" + pool + "\"");
    state->idle.erase(pool);
  }
  idle->kept.stream.reset();
}

std::string socket_error(const std::error_code& error) {
  if (error == Errc::timed_out) return "timeout";
  if (error == Errc::peer_closed || error == Errc::truncated) return "closed";
  if (error == Errc::cancelled) return "client aborted";
  if (error == Errc::peer_reset) return "connection reset by peer";
  if (error.category() == std::generic_category()) return lower(error.message());
  return lower(error.message());
}

}  // namespace seawall::lua
