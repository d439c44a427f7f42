#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "seawall/async/deadline.h"
#include "seawall/async/scheduler.h"
#include "catch.h"

using namespace seawall;

namespace {

// A timer that knows its place in the test and what to do when it fires.
class Probe {
 public:
  explicit Probe(std::vector<std::int64_t>& fired) : fired(fired) { armed.owner = this; }
  struct Armed {
    Timer timer{[](Timer& t) { reinterpret_cast<Armed&>(t).owner->fire(); }};
    Probe* owner = nullptr;
  } armed;
  std::vector<std::int64_t>& fired;
  std::vector<Probe*> disarms;
  std::int64_t again = 0;  // when to arm itself once more
  Probe* frees = nullptr;

  Timer& timer() { return armed.timer; }

 private:
  void fire() {
    auto& scheduler = Scheduler::current();
    CHECK_FALSE(timer().armed());
    fired.push_back(timer().when());
    for (Probe* other : disarms) scheduler.disarm(other->timer());
    if (again) scheduler.arm(timer(), std::exchange(again, 0));
    delete std::exchange(frees, nullptr);
  }
};

}  // namespace

TEST_CASE("timers fire in the order of their times, whatever the order of arming, moving and removal") {
  Scheduler scheduler;
  std::mt19937 random(1);
  std::vector<std::int64_t> fired, expected;
  std::vector<std::unique_ptr<Probe>> probes;
  // Times long past: all are due.
  const auto time = [&] { return static_cast<std::int64_t>(random() % 5'000) + 1; };
  for (int i = 0; i < 3'000; ++i) {
    probes.push_back(std::make_unique<Probe>(fired));
    scheduler.arm(probes.back()->timer(), time());
  }
  for (auto& probe : probes) {
    if (random() % 3 == 0) scheduler.arm(probe->timer(), time());
    if (random() % 3 == 0) scheduler.disarm(probe->timer());
    if (random() % 9 == 0) probe.reset();  // a destroyed timer leaves the heap
  }
  for (auto& probe : probes)
    if (probe && probe->timer().armed()) expected.push_back(probe->timer().when());
  std::sort(expected.begin(), expected.end());
  REQUIRE(scheduler.next_timer() == expected.front());
  scheduler.fire_timers();
  CHECK(fired == expected);
  CHECK(scheduler.next_timer() == Deadline::kNever);
}

TEST_CASE("a timer that is not due stays") {
  Scheduler scheduler;
  std::vector<std::int64_t> fired;
  Probe past(fired), future(fired);
  const std::int64_t later = scheduler.now() + 3'600'000'000'000;
  scheduler.arm(future.timer(), later);
  scheduler.arm(past.timer(), scheduler.now());
  scheduler.fire_timers();
  CHECK(fired.size() == 1);
  CHECK(scheduler.next_timer() == later);
  scheduler.disarm(future.timer());
  scheduler.disarm(future.timer());  // twice is once
  CHECK(scheduler.next_timer() == Deadline::kNever);
}

TEST_CASE("a firing timer may disarm, free and re-arm others and itself") {
  Scheduler scheduler;
  std::vector<std::int64_t> fired;
  Probe first(fired), second(fired), third(fired);
  auto* freed = new Probe(fired);
  scheduler.arm(first.timer(), 10);
  scheduler.arm(second.timer(), 20);
  scheduler.arm(freed->timer(), 30);
  scheduler.arm(third.timer(), 40);
  first.disarms = {&first, &second};
  first.again = 50;
  first.frees = freed;
  scheduler.fire_timers();
  CHECK(fired == std::vector<std::int64_t>{10, 40, 50});
}

TEST_CASE("a deadline is a time from now, zero and less means off") {
  Scheduler scheduler;
  const Deadline soon = Deadline::in(Milliseconds(1500), Wait::header), later = Deadline::in(Milliseconds(1501), Wait::body);
  CHECK(soon.when() == scheduler.now() + 1'500'000'000);
  CHECK(soon.wait() == Wait::header);
  CHECK_FALSE(soon.passed());
  CHECK(Deadline::at(scheduler.now(), Wait::idle).passed());
  CHECK(Deadline::in(Milliseconds(0), Wait::send).is_never());
  CHECK(Deadline::in(Milliseconds(-1), Wait::send).is_never());
  CHECK_FALSE(Deadline::never(Wait::accept).passed());
  CHECK(soon.earlier(later).wait() == Wait::header);
  CHECK(later.earlier(soon).wait() == Wait::header);
  CHECK(soon.earlier(Deadline::never(Wait::accept)).when() == soon.when());
  CHECK(Deadline::never(Wait::accept).earlier(soon).when() == soon.when());
}

TEST_CASE("the longest time that a configuration may say does not wrap around") {
  Scheduler scheduler;
  const Deadline longest = Deadline::in(Milliseconds(2'147'483'647'000), Wait::idle);
  CHECK(longest.when() > scheduler.now());
  CHECK_FALSE(longest.is_never());
}

TEST_CASE("every wait has its word") {
  for (int i = 0; i < kWaits; ++i) CHECK(std::string(name_of(static_cast<Wait>(i))).size() >= 4);
  CHECK(std::string(name_of(Wait::drain)) == "drain");
}
