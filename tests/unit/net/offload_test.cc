#include "seawall/net/offload.h"

#include <future>
#include <stdexcept>
#include <string>

#include "catch.h"
#include "unit/loop_runner.h"

using namespace seawall;
using namespace std::chrono_literals;
using test::LoopRunner;

namespace {

Deadline patience() { return Deadline::in(10s, Wait::handler); }

// Work that a test lets end: begun() tells that a thread is in it.
class Gate {
 public:
  void pass() {
    begun_.set_value();
    open_.get_future().wait();
  }
  void wait_begun() { begun_.get_future().wait(); }
  void open() { open_.set_value(); }

 private:
  std::promise<void> begun_, open_;
};

// Counts those alive.
class Counted {
 public:
  explicit Counted(std::atomic<int>& count) : count_(&count) { ++*count_; }
  Counted(const Counted& other) : count_(other.count_) { ++*count_; }
  ~Counted() { --*count_; }

 private:
  std::atomic<int>* count_;
};

}  // namespace

TEST_CASE("offloaded work gives its value, made by another thread") {
  LoopRunner runner;
  ThreadPool pool(1, 10);
  runner.run([](ThreadPool& pool) -> Task<void> {
    const auto here = std::this_thread::get_id();
    auto work = [] { return std::make_pair(std::this_thread::get_id(), std::string("value")); };
    auto result = co_await offload(pool, std::move(work), patience());
    REQUIRE(result);
    CHECK(result->second == "value");
    CHECK(result->first != here);
  }(pool));
}

TEST_CASE("the loop goes on while a thread works") {
  LoopRunner runner;
  ThreadPool pool(1, 10);
  Gate gate;
  bool done = false;
  runner.spawn([](ThreadPool& pool, Gate& gate, bool& done) -> Task<void> {
    auto work = [&gate] { gate.pass(); return 1; };
    const Result<int> result = co_await offload(pool, std::move(work), patience());
    CHECK(result);
    done = true;
  }(pool, gate, done));
  gate.wait_begun();
  runner.run([](Gate& gate, bool& done) -> Task<void> {
    CHECK_FALSE(done);
    gate.open();
    co_return;
  }(gate, done));
  CHECK(done);
}

TEST_CASE("an exception of offloaded work is its task's") {
  LoopRunner runner;
  ThreadPool pool(1, 10);
  runner.run([](ThreadPool& pool) -> Task<void> {
    auto work = []() -> int { throw std::runtime_error("of the work"); };
    std::string said;
    try {
      co_await offload(pool, std::move(work), patience());
    } catch (const std::runtime_error& e) {
      said = e.what();
    }
    CHECK(said == "of the work");
  }(pool));
}

TEST_CASE("a task that is cancelled does not wait for its thread, whose value is dropped") {
  std::atomic<int> alive = 0;
  Gate gate;
  {
    LoopRunner runner;
    ThreadPool pool(1, 10);
    Scope scope(&runner.scope());
    Errc waited = Errc::ok;
    runner.spawn(scope, [](ThreadPool& pool, Gate& gate, std::atomic<int>& alive, Errc& waited) -> Task<void> {
      auto work = [&gate, own = Counted(alive)] {
        gate.pass();
        return own;
      };
      const Result<Counted> result = co_await offload(pool, std::move(work), patience());
      REQUIRE_FALSE(result);
      waited = Errc(result.error().value());
    }(pool, gate, alive, waited));
    gate.wait_begun();
    scope.cancel();
    runner.run([](Scope& scope) -> Task<void> { co_await scope.join(); }(scope));
    CHECK(waited == Errc::cancelled);
    CHECK(alive > 0);
    gate.open();
  }
  CHECK(alive == 0);
}

TEST_CASE("work that nobody waits for any more is not begun") {
  LoopRunner runner;
  ThreadPool pool(1, 10);
  Gate gate;
  std::atomic<bool> ran = false;
  runner.spawn([](ThreadPool& pool, Gate& gate) -> Task<void> {
    auto work = [&gate] { gate.pass(); return 0; };
    co_await offload(pool, std::move(work), patience());
  }(pool, gate));
  gate.wait_begun();
  runner.run([](ThreadPool& pool, Gate& gate, std::atomic<bool>& ran) -> Task<void> {
    auto late = [&ran] { ran = true; return 0; };
    const Result<int> result = co_await offload(pool, std::move(late), Deadline::in(1ms, Wait::handler));
    CHECK(result.error() == Errc::timed_out);
    gate.open();
    auto last = [] { return 0; };  // the one thread has passed by the abandoned work when this is done
    const Result<int> done = co_await offload(pool, std::move(last), patience());
    CHECK(done);
  }(pool, gate, ran));
  CHECK_FALSE(ran);
}

TEST_CASE("a pool takes so many jobs and no more") {
  LoopRunner runner;
  Gate gate;
  ThreadPool pool(1, 1);
  CHECK(pool.add([&] { gate.pass(); }));
  gate.wait_begun();
  runner.run([](ThreadPool& pool, Gate& gate) -> Task<void> {
    CHECK(pool.add([] {}));
    auto work = [] { return 0; };
    const Result<int> result = co_await offload(pool, std::move(work), patience());
    CHECK(result.error() == Errc::exhausted);
    gate.open();
  }(pool, gate));
}

TEST_CASE("threads work beside each other") {
  Gate first, second;
  ThreadPool pool(2, 10);
  CHECK(pool.add([&] { first.pass(); }));
  CHECK(pool.add([&] { second.pass(); }));
  first.wait_begun();
  second.wait_begun();
  first.open();
  second.open();
}
