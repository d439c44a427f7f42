// LoopCounts: what one loop counts, where every loop of every generation can read it (stub_status). Each loop writes its own,
// without locks; what loops that have ended counted is kept as long as the supervisor lives.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "seawall/async/deadline.h"
#include "seawall/base/export.h"
#include "seawall/base/process_id.h"
#include "seawall/server/h2_limits.h"

namespace seawall {

// Where a connection is in its life (B41). Their sum is the number of open client sockets.
enum class ConnState : std::uint8_t { new_, handshake, header, body, handler, send, idle, h2, tunnel, linger };
inline constexpr int kConnStates = 10;
SEAWALL_API const char* name_of(ConnState state);

// Written by one thread, read by any.
class Count {
 public:
  void operator++() { add(1); }
  void operator--() { add(~std::uint64_t{0}); }
  operator std::uint64_t() const { return value_.load(std::memory_order_relaxed); }
  void reset() { value_.store(0, std::memory_order_relaxed); }

 private:
  void add(std::uint64_t n) { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  std::atomic<std::uint64_t> value_{0};
};

class alignas(64) LoopCounts {
 public:
  std::array<Count, kConnStates> states;
  Count h2_busy;     // connections over HTTP/2 with a request
  Count h2_streams;  // requests over HTTP/2
  Count accepted, handled, requests, accept_errors, aborts;
  std::array<Count, kWaits> timeouts;      // clients that were late, by what was waited for
  std::array<Count, kH2Abuses> h2_abuses;
  ProcessId process;  // whose loop it is; pid 0: nobody's
};

// What all loops say together (stub_status).
class ServerCounts {
 public:
  std::uint64_t active = 0, reading = 0, writing = 0, waiting = 0;
  std::array<std::uint64_t, kConnStates> states{};
  std::uint64_t processes = 0;  // that have loops
  std::uint64_t accepted = 0, handled = 0, requests = 0, accept_errors = 0, aborts = 0;  // since the server's start, as all below
  std::array<std::uint64_t, kWaits> timeouts{};
  std::array<std::uint64_t, kH2Abuses> h2_abuses{};
};

// The place of one loop; what it has counted stays when it ends.
class CountedLoop {
 public:
  CountedLoop();
  ~CountedLoop();
  CountedLoop(const CountedLoop&) = delete;
  CountedLoop& operator=(const CountedLoop&) = delete;
  LoopCounts& counts() const { return *counts_; }

 private:
  LoopCounts* counts_;
  std::unique_ptr<LoopCounts> own_;  // when all places are taken: nobody sees what it counts
};

// Makes the shared memory; before the first worker is forked.
void prepare_counts();
SEAWALL_API ServerCounts count_all();

}  // namespace seawall
