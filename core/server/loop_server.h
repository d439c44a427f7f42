// LoopServer: the server's share of one loop: its listeners, its connections by state, and what they share. It accepts,
// makes room when descriptors run out, and drains. One loop.
#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>

#include "seawall/base/list.h"
#include "seawall/net/listener.h"
#include "seawall/server/endpoint.h"
#include "seawall/server/header_limit.h"

namespace seawall {

class Connection;
class HttpConf;

// Where a connection is in its life (B41). Their sum is the number of open client sockets.
enum class ConnState : std::uint8_t { new_, handshake, header, body, handler, send, idle, tunnel, linger };
inline constexpr int kConnStates = 9;

class LoopServer {
 public:
  LoopServer(Loop& loop, const HttpConf& conf, HeaderLimit& header_limit);
  ~LoopServer();

  // Starts accepting on these sockets; index i belongs to endpoints[i].
  void listen(std::span<const ListeningSocket> sockets);

  // Stops accepting; idle connections close, busy ones close after their response.
  void drain();
  // Ends everything now: pending waits are cancelled.
  void terminate();
  bool draining() const { return draining_; }

  Loop& loop;
  const HttpConf& conf;
  HeaderLimit& header_limit;

  // Kept by Connection.
  std::array<std::uint64_t, kConnStates> states{};
  List<Connection> idle;            // oldest first
  std::uint64_t accepted_total = 0, requests_total = 0, accept_errors_total = 0;
  std::array<std::uint64_t, kWaits> timeouts{};

  std::uint64_t connections() const;
  // Closes the idle connection that has waited longest; false when none is idle.
  bool close_oldest_idle();
  // Says so at most once a second.
  void log_accept_failure(int error);
  // Counts a deadline that passed and says whose (B37: info, below the default level).
  void count_timeout(Wait wait) { ++timeouts[static_cast<std::size_t>(wait)]; }

 private:
  class Door;
  Scope accepting_;
  Scope serving_;
  std::deque<Door> doors_;
  bool draining_ = false;
  std::int64_t last_accept_log_ = 0;
  friend class Door;
};

}  // namespace seawall
