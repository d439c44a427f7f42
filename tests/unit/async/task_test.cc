#include "seawall/async/task.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "seawall/async/event.h"
#include "unit/async/runner.h"

using namespace seawall;
using test::Runner;

namespace {

Task<int> at_once(int value) { co_return value; }
Task<void> nothing() { co_return; }

Task<std::unique_ptr<int>> movable(int value) { co_return std::make_unique<int>(value); }

Task<int> fails(std::string what) {
  if (!what.empty()) throw std::runtime_error(what);
  co_return 0;
}

Task<Errc> waits_for(Event& event) { co_return co_await event.wait(Deadline::never(Wait::handler)); }

// Ends after a wait, at the bottom of `depth` tasks.
Task<int> deep(Event& event, int depth) {
  if (depth == 0) {
    const Errc waited = co_await waits_for(event);
    co_return waited == Errc::ok ? 0 : -1'000'000;
  }
  const int below = co_await deep(event, depth - 1);
  co_return below + 1;
}

// Says when it dies.
class Witness {
 public:
  explicit Witness(std::vector<std::string>& log, std::string name) : log_(log), name_(std::move(name)) {}
  ~Witness() { log_.push_back(name_); }

 private:
  std::vector<std::string>& log_;
  std::string name_;
};

Task<void> with_witness(std::unique_ptr<Witness> witness, std::vector<std::string>& log) {
  const std::unique_ptr<Witness> own = std::move(witness);
  log.push_back("runs");
  co_return;
}

}  // namespace

TEST_CASE("a task gives its value, moved and not copied") {
  Runner runner;
  int sum = 0;
  const auto adds = [&]() -> Task<void> {
    sum += co_await at_once(3);
    const std::unique_ptr<int> four = co_await movable(4);
    sum += *four;
    co_await nothing();
  };
  runner.spawn(adds());
  runner.run();
  REQUIRE(sum == 7);
}

TEST_CASE("100,000 children that finish at once need no more stack than one") {
  Runner runner;
  long sum = 0;
  const auto loop = [&]() -> Task<void> {
    for (int i = 0; i < 100'000; ++i) sum += co_await at_once(1);
  };
  runner.spawn(loop());
  runner.run();
  REQUIRE(sum == 100'000);
}

TEST_CASE("100,000 children that each wait and are woken need no more stack than one") {
  Runner runner;
  Event event;
  long woken = 0;
  const auto loop = [&]() -> Task<void> {
    for (int i = 0; i < 100'000; ++i) {
      event.reset();
      const Errc waited = co_await waits_for(event);
      if (waited == Errc::ok) ++woken;
    }
  };
  runner.spawn(loop());
  while (!runner.scope.empty()) {
    event.set();
    runner.turn();
  }
  REQUIRE(woken == 100'000);
}

TEST_CASE("a wait under 1,000 tasks returns through all of them") {
  Runner runner;
  Event event;
  int depth = -1;
  const auto dive = [&]() -> Task<void> { depth = co_await deep(event, 1000); };
  runner.spawn(dive());
  REQUIRE(depth == -1);
  event.set();
  runner.run();
  REQUIRE(depth == 1000);
}

TEST_CASE("an exception reaches the awaiter, before a wait and after one") {
  Runner runner;
  Event event;
  std::vector<std::string> caught;
  const auto later = [&]() -> Task<int> {
    co_await event.wait(Deadline::never(Wait::handler));
    throw std::runtime_error("later");
  };
  const auto catches = [&]() -> Task<void> {
    try {
      co_await fails("at once");
    } catch (const std::runtime_error& error) {
      caught.push_back(error.what());
    }
    try {
      co_await later();
    } catch (const std::runtime_error& error) {
      caught.push_back(error.what());
    }
    const int fine = co_await fails("");
    if (fine == 0) caught.push_back("none");
  };
  runner.spawn(catches());
  event.set();
  runner.run();
  REQUIRE(caught == std::vector<std::string>{"at once", "later", "none"});
}

TEST_CASE("a task that nobody awaits never runs, and frees what it was given") {
  std::vector<std::string> log;
  {
    const Task<void> unused = with_witness(std::make_unique<Witness>(log, "freed"), log);
    REQUIRE(log.empty());
  }
  REQUIRE(log == std::vector<std::string>{"freed"});
}

TEST_CASE("a child's frame is gone when its awaiter goes on after the statement") {
  Runner runner;
  std::vector<std::string> log;
  const auto parent = [&]() -> Task<void> {
    co_await with_witness(std::make_unique<Witness>(log, "dies"), log);
    log.push_back("goes on");
  };
  runner.spawn(parent());
  runner.run();
  REQUIRE(log == std::vector<std::string>{"runs", "dies", "goes on"});
}

TEST_CASE("the scope is the awaiter's, unless .in() names another") {
  Runner runner;
  Scope other(&runner.scope);
  const auto mine = []() -> Task<Scope*> {
    Scope& scope = co_await current_scope();
    co_return &scope;
  };
  const auto nested = [&]() -> Task<Scope*> { co_return co_await mine(); };
  Scope *inherited = nullptr, *named = nullptr;
  const auto asks = [&]() -> Task<void> {
    inherited = co_await nested();
    named = co_await nested().in(other);
  };
  runner.spawn(asks());
  runner.run();
  CHECK(inherited == &runner.scope);
  CHECK(named == &other);
}

TEST_CASE("cancelling the scope of .in() ends the child alone") {
  Runner runner;
  Scope inner(&runner.scope);
  Event event;
  Errc child = Errc::ok, own = Errc::ok;
  const auto parent = [&]() -> Task<void> {
    child = co_await waits_for(event).in(inner);
    own = co_await waits_for(event);
  };
  runner.spawn(parent());
  inner.cancel();
  runner.turn();
  REQUIRE(child == Errc::cancelled);
  event.set();
  runner.run();
  REQUIRE(own == Errc::ok);
}
