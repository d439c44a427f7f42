// A Scheduler without a loop behind it, and a scope to spawn into: what the tests of async/ run their tasks with. An
// exception out of a task (a failed REQUIRE) fails the test.
#pragma once
#include <chrono>
#include <exception>

#include "seawall/async/scope.h"
#include "catch.h"

namespace test {

class Runner {
 public:
  seawall::Scheduler scheduler;
  seawall::Scope scope;

  void spawn(seawall::Task<void> task) { spawn(scope, std::move(task)); }
  void spawn(seawall::Scope& where, seawall::Task<void> task) { where.spawn(guarded(std::move(task), error_)); }

  // What is ready, and the timers that are due; it never waits.
  void turn() {
    scheduler.update_clock();
    scheduler.fire_timers();
    scheduler.run_ready();
  }
  // Turns until every task has ended. It is the deadlines under test that end the waits.
  void run() {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!scope.empty()) {
      turn();
      if (std::chrono::steady_clock::now() > limit) scope.cancel();
    }
    const bool late = std::chrono::steady_clock::now() > limit;
    if (error_) std::rethrow_exception(error_);
    REQUIRE_FALSE(late);
  }

 private:
  static seawall::Task<void> guarded(seawall::Task<void> task, std::exception_ptr& error) {
    try {
      co_await task;
    } catch (...) {
      error = std::current_exception();
    }
  }
  std::exception_ptr error_;
};

}  // namespace test
