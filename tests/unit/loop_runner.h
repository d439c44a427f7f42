// A Loop whose tasks are tests: runs them to their end and fails when one threw (a failed REQUIRE) or hangs.
#pragma once
#include <chrono>
#include <exception>

#include "seawall/net/loop.h"
#include "catch.h"

namespace test {

class LoopRunner {
 public:
  seawall::Loop loop{0};

  seawall::Scope& scope() { return loop.scope(); }
  void spawn(seawall::Task<void> task) { spawn(loop.scope(), std::move(task)); }
  void spawn(seawall::Scope& where, seawall::Task<void> task) { where.spawn(guarded(std::move(task), error_)); }

  // Turns until every task has ended; the patience is for failing tests only.
  void run() {
    using namespace std::chrono_literals;
    const std::int64_t limit = loop.now() + std::chrono::nanoseconds(20s).count();
    bool late = false;
    while (!loop.scope().empty()) {
      loop.turn(limit);
      ++turns;
      if (loop.now() < limit || late) continue;
      late = true;
      loop.scope().cancel();
    }
    if (error_) std::rethrow_exception(std::exchange(error_, {}));
    REQUIRE_FALSE(late);
  }
  void run(seawall::Task<void> task) {
    spawn(std::move(task));
    run();
  }
  long turns = 0;  // of run(): what a busy loop makes grow

 private:
  static seawall::Task<void> guarded(seawall::Task<void> task, std::exception_ptr& error) {
    try {
      co_await task;
    } catch (...) {
      if (!error) error = std::current_exception();
    }
  }
  std::exception_ptr error_;
};

}  // namespace test
