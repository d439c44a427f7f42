// Watchdog: sees that a loop is held by Lua, and ends that (lua_cpu_budget). A thread of the process looks at the loops; one that is in
// the same run of Lua for longer than the budget gets a signal, whose handler has the interpreter raise an error at its next
// instruction. Traces of the JIT compiler look at nothing: when it goes on, a new generation is asked for, and this worker ends.
#pragma once
#include <pthread.h>

#include <atomic>
#include <chrono>
#include <cstdint>

namespace seawall::lua {

// The signal that its thread sends to a loop.
int watchdog_signal();

// What a loop says of itself. Written by the loop, read by the watchdog.
class Watched {
 public:
  explicit Watched(std::chrono::milliseconds budget);  // of this thread, from now on
  ~Watched();
  Watched(const Watched&) = delete;

  // This thread's; null: nobody looks.
  static Watched* here();
  void begin() { runs_.store(runs_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed); }
  // True: it was told to end.
  bool end() {
    begin();
    return condemned_.load(std::memory_order_relaxed) == runs_.load(std::memory_order_relaxed) - 1;
  }

 private:
  friend class Watchdog;
  static void on_signal(int);
  bool is_running(std::uint64_t run) const { return run % 2 == 1; }
  const pthread_t thread_;
  const std::chrono::milliseconds budget_;
  std::atomic<std::uint64_t> runs_{0};       // odd: Lua runs
  std::atomic<std::uint64_t> condemned_{0};  // a run that has had its time
  // The watchdog's own.
  std::uint64_t seen_ = 0;
  std::chrono::steady_clock::time_point since_;
  enum class Step : std::uint8_t { none, told, replaced } step_ = Step::none;
};

}  // namespace seawall::lua
