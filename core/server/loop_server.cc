#include "seawall/server/loop_server.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <system_error>

#include "seawall/async/event.h"
#include "seawall/log/log.h"
#include "seawall/server/connection.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/event_counts.h"
#include "seawall/server/file_cache.h"

namespace seawall {
namespace {

// EMFILE says "emfile": as in the counter of B17.
std::string_view name_of_refusal(int error) {
  switch (error) {
    case EMFILE: return "emfile";
    case ENFILE: return "enfile";
    case ENOBUFS: return "enobufs";
    case ENOMEM: return "enomem";
    case ECONNABORTED: return "econnaborted";
    default: return "other";
  }
}

// B40: says so before descriptors are out; the kernel gives the lowest that is free, so the number of a new one tells how many there
// are. At most once a minute, of all loops.
void watch_files(int fd, std::int64_t now) {
  static const rlim_t limit = [] {
    rlimit files{};
    return ::getrlimit(RLIMIT_NOFILE, &files) == 0 ? files.rlim_cur : RLIM_INFINITY;
  }();
  static std::atomic<std::int64_t> said{0};
  if (limit == RLIM_INFINITY || static_cast<rlim_t>(fd) < limit / 10 * 8) return;
  std::int64_t before = said.load(std::memory_order_relaxed);
  if ((before != 0 && now - before < 60'000'000'000) || !said.compare_exchange_strong(before, now)) return;
  log(Level::crit, "more than 80% of " + std::to_string(limit) + " file descriptors are in use (worker_rlimit_nofile)");
}

constexpr std::int64_t kBetweenLooks = 100'000'000;  // ns

}  // namespace

// One listening socket with its accept task.
class LoopServer::Door final : public Acceptor {
 public:
  Door(LoopServer& server, const OpenListener& listener)
      : server_(server), socket_(*listener.socket), listener_(listener.fd, *this) {}
  Task<void> run() { return listener_.run(); }
  void accepted(Fd fd) override { server_.accepted(std::move(fd), socket_); }
  bool make_room() override { return server_.make_room(); }
  void accept_failed(int error) override { server_.accept_failed(error); }

 private:
  LoopServer& server_;
  const ListenSocket& socket_;
  Listener listener_;
};

LoopServer::LoopServer(Loop& loop, std::int64_t worker_connections, HeaderLimit& header_limit)
    : loop(loop), header_limit(header_limit), limit_(static_cast<std::size_t>(worker_connections)),
      accepting_(&loop.scope()), serving_(&loop.scope()) {}

LoopServer::~LoopServer() = default;

void LoopServer::listen(std::span<const OpenListener> listeners) {
  for (const OpenListener& listener : listeners) {
    Door& door = doors_.emplace_back(*this, listener);
    accepting_.spawn(door.run());
  }
}

void LoopServer::serve_probe(Fd fd, const Probe& probe) { serving_.spawn(seawall::serve_probe(*this, std::move(fd), probe)); }

void LoopServer::accepted(Fd fd, const ListenSocket& door) {
  ++counts().accepted;
  watch_files(fd.get(), loop.now());
  if (serving_.tasks() >= limit_ && !close_oldest_idle()) {
    accept_failed(0);
    return;
  }
  serving_.spawn(serve(*this, std::move(fd), door));
}

// The one that has been idle longest gives way; a client must expect that of an idle connection at any time.
bool LoopServer::close_oldest_idle() {
  Connection* oldest = idle.front();
  if (!oldest) return false;
  close(*oldest);
  return true;
}

void LoopServer::close(Connection& idle) {
  idle.unlink();
  idle.abrupt = true;  // what it holds is needed now (lingering_close always)
  idle.stream->socket().interrupt(Socket::reading, Errc::cancelled);
}

// What can be had again at any time goes before what somebody may still use.
bool LoopServer::make_room() { return FileCaches::of(loop).give_back() || close_oldest_idle(); }

// At most one line a second: the condition lasts, and the log may be on the disk that is in trouble, too.
void LoopServer::accept_failed(int error) {
  ++counts().accept_errors;
  refusal_counts().at(error == 0 ? "worker_connections" : name_of_refusal(error))->add();
  if (last_accept_log_ && loop.now() - last_accept_log_ < 1'000'000'000) return;
  last_accept_log_ = loop.now();
  if (error == 0) log(Level::alert, std::to_string(limit_) + " worker_connections are not enough");
  else log(Level::crit, "accept4() failed " + describe(system_error_code(error)));
}

void LoopServer::drain() {
  if (draining_) return;
  draining_ = true;
  accepting_.cancel();
  while (Drained* connection = drained.pop_front()) connection->drain();
  loop.scope().spawn(let_idle_go());
}

void LoopServer::close_idle() {
  closing_idle_ = true;
  while (close_oldest_idle()) {}
}

// One whose next request is here already is about to be served, with the word that it is the last.
std::int64_t LoopServer::let_go_those_due() {
  std::int64_t next = 0;
  for (Connection* c = idle.front(); c;) {
    Connection* const after = idle.next(*c);
    const std::int64_t due = c->idle_since + std::chrono::nanoseconds(*c->core->keepalive_min_timeout).count();
    if (due > loop.now()) next = next ? std::min(next, due) : due;
    else if (c->has_input()) c->unlink();
    else close(*c);
    c = after;
  }
  return next;
}

Task<void> LoopServer::let_idle_go() {
  while (const std::int64_t next = let_go_those_due()) {
    // Not one by one: a look at all of them for each would take long.
    const Errc slept = co_await sleep_until(Deadline::at(std::max(next, loop.now() + kBetweenLooks), Wait::idle));
    if (slept == Errc::cancelled) co_return;
  }
}

Task<void> LoopServer::stopped_accepting() { co_await accepting_.join(); }
Task<void> LoopServer::ended() { co_await serving_.join(); }

void LoopServer::terminate() {
  draining_ = true;
  accepting_.cancel();
  serving_.cancel();
}

}  // namespace seawall
