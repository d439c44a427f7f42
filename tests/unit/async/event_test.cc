#include "seawall/async/event.h"

#include <vector>

#include "unit/async/runner.h"

using namespace seawall;
using test::Runner;

TEST_CASE("a set event does not wait, until it is reset") {
  Runner runner;
  Event event;
  int passed = 0;
  const auto task = [&]() -> Task<void> {
    for (;;) {
      const Errc waited = co_await event.wait(Deadline::never(Wait::handler));
      if (waited != Errc::ok) co_return;
      if (++passed == 3) event.reset();
    }
  };
  event.set();
  runner.spawn(task());
  CHECK(passed == 3);
  event.set();
  event.reset();  // between them the waiter was woken
  runner.turn();
  CHECK(passed == 4);
  CHECK_FALSE(event.is_set());
  runner.scope.cancel();
  runner.run();
}

TEST_CASE("an event's wait ends at its deadline, not before") {
  Runner runner;
  Event event;
  Errc waited = Errc::ok;
  std::int64_t took = 0;
  const auto task = [&]() -> Task<void> {
    const std::int64_t from = runner.scheduler.now();
    waited = co_await event.wait(Deadline::in(Milliseconds(20), Wait::handler));
    took = runner.scheduler.now() - from;
  };
  runner.spawn(task());
  runner.run();
  CHECK(waited == Errc::timed_out);
  CHECK(took >= 20'000'000);
  CHECK(runner.scheduler.next_timer() == Deadline::kNever);
}

TEST_CASE("the timer of a wait that ended otherwise is gone") {
  Runner runner;
  Event event;
  std::vector<Errc> results;
  const auto task = [&]() -> Task<void> {
    results.push_back(co_await event.wait(Deadline::in(Milliseconds(60'000), Wait::handler)));
  };
  runner.spawn(task());
  CHECK(runner.scheduler.next_timer() != Deadline::kNever);
  event.set();
  runner.run();
  CHECK(runner.scheduler.next_timer() == Deadline::kNever);
  Runner* const again = &runner;
  event.reset();
  again->spawn(task());
  again->scope.cancel();
  again->run();
  CHECK(runner.scheduler.next_timer() == Deadline::kNever);
  CHECK(results == std::vector<Errc>{Errc::ok, Errc::cancelled});
}

TEST_CASE("when an event is set and its deadline passes in one turn, the first to come decides") {
  Runner runner;
  Event event;
  Errc waited = Errc::cancelled;
  const auto task = [&]() -> Task<void> {
    waited = co_await event.wait(Deadline::at(runner.scheduler.now() + 1, Wait::handler));
  };
  SECTION("the event") {
    runner.spawn(task());
    event.set();
    runner.run();
    CHECK(waited == Errc::ok);
  }
  SECTION("the deadline") {
    runner.spawn(task());
    runner.scheduler.update_clock();
    while (runner.scheduler.next_timer() > runner.scheduler.now()) runner.scheduler.update_clock();
    runner.scheduler.fire_timers();
    event.set();
    runner.run();
    CHECK(waited == Errc::timed_out);
  }
}

TEST_CASE("the waiter may free the event that woke it") {
  Runner runner;
  auto event = std::make_unique<Event>();
  const auto task = [&]() -> Task<void> {
    co_await event->wait(Deadline::in(Milliseconds(60'000), Wait::handler));
    event.reset();
  };
  runner.spawn(task());
  event->set();
  runner.run();
  CHECK(event == nullptr);
}

TEST_CASE("sleep ends at its time, or by the scope's end") {
  Runner runner;
  std::vector<Errc> results;
  const auto task = [&]() -> Task<void> {
    results.push_back(co_await sleep_until(Deadline::in(Milliseconds(5), Wait::drain)));
    results.push_back(co_await sleep_until(Deadline::at(runner.scheduler.now() - 1, Wait::drain)));
    results.push_back(co_await sleep_until(Deadline::never(Wait::drain)));
  };
  runner.spawn(task());
  while (results.size() < 2) runner.turn();
  runner.scope.cancel();
  runner.run();
  CHECK(results == std::vector<Errc>{Errc::timed_out, Errc::timed_out, Errc::cancelled});
}
