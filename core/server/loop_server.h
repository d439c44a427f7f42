// LoopServer: the server's share of one loop: its listeners, its connections by state, and what they share. It accepts,
// makes room when descriptors run out, and drains. One loop.
#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <span>

#include "seawall/base/list.h"
#include "seawall/net/listener.h"
#include "seawall/net/offload.h"
#include "seawall/route/endpoints.h"
#include "seawall/server/h2_limits.h"
#include "seawall/server/header_limit.h"
#include "seawall/server/loop_counts.h"

namespace seawall {

class Connection;
class Probe;

// A listening socket of this loop: the descriptor is the worker's.
class OpenListener {
 public:
  int fd = -1;
  const ListenSocket* socket = nullptr;
};

// A connection that has something to say when the server drains (HTTP/2: GOAWAY).
class Drained : public ListNode {
 public:
  virtual void drain() = 0;

 protected:
  ~Drained() = default;
};

class LoopServer {
 public:
  // worker_connections bounds this loop's connections.
  LoopServer(Loop& loop, std::int64_t worker_connections, HeaderLimit& header_limit);
  ~LoopServer();

  void listen(std::span<const OpenListener> listeners);
  // Serves a connection that the server has made to itself. On the loop's thread.
  void serve_probe(Fd fd, const Probe& probe);
  // Another generation takes over: accepts what is in the queue and no more; busy connections close after their response,
  // which says so, idle ones when they have been for keepalive_min_timeout: a client may be about to use them.
  void drain();
  // After drain(): idle connections close now, and whatever becomes idle.
  void close_idle();
  bool closes_idle() const { return closing_idle_; }
  // Ends everything now: pending waits are cancelled.
  void terminate();
  bool draining() const { return draining_; }
  // Ends when nothing is accepted any more, and when the last connection has ended too, after drain() or terminate().
  Task<void> stopped_accepting();
  Task<void> ended();

  Loop& loop;
  HeaderLimit& header_limit;
  ThreadPool lookups{1, 100};  // of hosts that only a client's certificate names: getaddrinfo() waits for whom it asks

  // Kept by Connection and the protocol loops.
  LoopCounts& counts() { return counted_.counts(); }
  List<Connection> idle;  // oldest first
  List<Drained> drained;  // told once
  void count_timeout(Wait wait) { ++counts().timeouts[static_cast<std::size_t>(wait)]; }
  void count_abuse(H2Abuse abuse) { ++counts().h2_abuses[static_cast<std::size_t>(abuse)]; }

 private:
  class Door;
  CountedLoop counted_;
  void accepted(Fd fd, const ListenSocket& door);
  bool close_oldest_idle();
  bool make_room();  // a descriptor's
  void accept_failed(int error);

  const std::size_t limit_;
  Scope accepting_;
  Scope serving_;
  std::deque<Door> doors_;
  static void close(Connection& idle);
  std::int64_t let_go_those_due();  // when to look again; 0: no idle one is left
  Task<void> let_idle_go();
  bool draining_ = false, closing_idle_ = false;
  std::int64_t last_accept_log_ = 0;
};

}  // namespace seawall
