#include "seawall/async/scope.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "seawall/async/event.h"
#include "unit/async/runner.h"

using namespace seawall;
using test::Runner;

namespace {

// The exceptions that left spawned tasks.
std::vector<std::string> uncaught;

class CollectUncaught {
 public:
  CollectUncaught() {
    uncaught.clear();
    Scope::set_exception_handler([](std::exception_ptr error) {
      try {
        std::rethrow_exception(error);
      } catch (const std::exception& e) {
        uncaught.push_back(e.what());
      }
    });
  }
  ~CollectUncaught() { Scope::set_exception_handler(nullptr); }
};

Task<void> record(Event& event, std::vector<Errc>& results) {
  results.push_back(co_await event.wait(Deadline::never(Wait::handler)));
}

}  // namespace

TEST_CASE("spawn runs a task up to its first wait") {
  Runner runner;
  Event event;
  int step = 0;
  const auto task = [&]() -> Task<void> {
    step = 1;
    co_await event.wait(Deadline::never(Wait::handler));
    step = 2;
  };
  runner.spawn(task());
  CHECK(step == 1);
  CHECK(runner.scope.tasks() == 1);
  event.set();
  CHECK(step == 1);  // set() never resumes inline
  runner.run();
  CHECK(step == 2);
  CHECK(runner.scope.empty());
}

TEST_CASE("cancel ends every wait below it, in children's scopes too") {
  Runner runner;
  std::vector<std::unique_ptr<Event>> events;
  std::vector<Errc> results;
  Scope child(&runner.scope), grandchild(&child), sibling(&runner.scope);
  for (Scope* scope : {&runner.scope, &child, &grandchild, &sibling})
    for (int i = 0; i < 3; ++i) {
      events.push_back(std::make_unique<Event>());
      scope->spawn(record(*events.back(), results));
    }
  child.cancel();
  runner.turn();
  CHECK(results == std::vector<Errc>(6, Errc::cancelled));
  CHECK_FALSE(sibling.cancelled());
  CHECK(sibling.tasks() == 3);
  runner.scope.cancel();
  runner.turn();
  CHECK(results == std::vector<Errc>(12, Errc::cancelled));
  CHECK((child.empty() && grandchild.empty() && sibling.empty() && runner.scope.empty()));
}

TEST_CASE("in a cancelled scope every later wait ends at once") {
  Runner runner;
  Event set, unset;
  std::vector<Errc> results;
  set.set();
  const auto stubborn = [&]() -> Task<void> {
    for (Event* event : {&unset, &unset, &set}) results.push_back(co_await event->wait(Deadline::never(Wait::handler)));
    results.push_back(co_await sleep_until(Deadline::in(Milliseconds(60'000), Wait::handler)));
  };
  runner.spawn(stubborn());
  runner.scope.cancel();
  runner.turn();
  REQUIRE(runner.scope.empty());
  CHECK(results == std::vector<Errc>(4, Errc::cancelled));
}

TEST_CASE("a scope made inside a cancelled one is cancelled") {
  Runner runner;
  runner.scope.cancel();
  Scope child(&runner.scope);
  Event event;
  std::vector<Errc> results;
  CHECK(child.cancelled());
  child.spawn(record(event, results));
  CHECK(results == std::vector<Errc>{Errc::cancelled});
}

TEST_CASE("what completed before the cancel keeps its result") {
  Runner runner;
  Event event;
  std::vector<Errc> results;
  runner.spawn(record(event, results));
  event.set();
  runner.scope.cancel();
  runner.turn();
  CHECK(results == std::vector<Errc>{Errc::ok});
}

TEST_CASE("join waits for the last task, and not at all for an empty scope") {
  Runner runner;
  Event first, second;
  std::vector<Errc> results;
  std::vector<std::string> order;
  const auto owner = [&]() -> Task<void> {
    Scope own(&co_await current_scope());
    co_await own.join();
    order.push_back("empty");
    own.spawn(record(first, results));
    own.spawn(record(second, results));
    co_await own.join();
    order.push_back("joined");
  };
  runner.spawn(owner());
  first.set();
  runner.turn();
  CHECK(order == std::vector<std::string>{"empty"});
  second.set();
  runner.run();
  CHECK(order == std::vector<std::string>{"empty", "joined"});
  CHECK(results.size() == 2);
}

TEST_CASE("join holds although the joiner's own scope is cancelled: children end first") {
  Runner runner;
  Event inside;
  std::vector<Errc> results;
  bool joined = false;
  const auto owner = [&]() -> Task<void> {
    Scope own(&co_await current_scope());
    own.spawn(record(inside, results));
    co_await own.join();
    joined = true;
  };
  runner.spawn(owner());
  runner.scope.cancel();
  CHECK_FALSE(joined);
  runner.turn();
  CHECK(joined);
  CHECK(results == std::vector<Errc>{Errc::cancelled});
}

TEST_CASE("a task may cancel its own scope") {
  Runner runner;
  Scope own(&runner.scope);
  Event other_event;
  std::vector<Errc> results;
  own.spawn(record(other_event, results));
  const auto suicide = [&]() -> Task<void> {
    own.cancel();
    results.push_back(co_await sleep_until(Deadline::in(Milliseconds(60'000), Wait::handler)));
  };
  own.spawn(suicide());
  runner.turn();
  CHECK(own.empty());
  CHECK(results == std::vector<Errc>(2, Errc::cancelled));
}

TEST_CASE("an exception out of a spawned task ends that task alone and is heard of once") {
  const CollectUncaught collect;
  Runner runner;
  Event event;
  std::vector<Errc> results;
  const auto throws = [&](std::string what, bool wait) -> Task<void> {
    if (wait) co_await event.wait(Deadline::never(Wait::handler));
    throw std::runtime_error(what);
  };
  runner.scope.spawn(throws("at once", false));
  runner.scope.spawn(throws("later", true));
  event.set();
  runner.turn();
  CHECK(uncaught == std::vector<std::string>{"at once", "later"});
  CHECK(runner.scope.empty());
}

TEST_CASE("a spawned task's frame dies before its end is told") {
  Runner runner;
  std::vector<std::string> order;
  class Owned {
   public:
    explicit Owned(std::vector<std::string>& order) : order_(order) {}
    ~Owned() { order_.push_back("freed"); }

   private:
    std::vector<std::string>& order_;
  };
  const auto holds = [](std::unique_ptr<Owned> owned, Event& event) -> Task<void> {
    const std::unique_ptr<Owned> own = std::move(owned);
    co_await event.wait(Deadline::never(Wait::handler));
  };
  Event event;
  const auto owner = [&]() -> Task<void> {
    Scope own(&co_await current_scope());
    own.spawn(holds(std::make_unique<Owned>(order), event));
    co_await own.join();
    order.push_back("joined");
  };
  runner.spawn(owner());
  event.set();
  runner.run();
  CHECK(order == std::vector<std::string>{"freed", "joined"});
}
