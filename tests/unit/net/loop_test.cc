#include "seawall/net/loop.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "seawall/async/event.h"
#include "unit/loop_runner.h"

using namespace seawall;
using test::LoopRunner;

namespace {

// Turns until done() holds; false when it never does.
template <class F>
bool turn_until(Loop& loop, F done) {
  const std::int64_t limit = loop.now() + 20'000'000'000;
  while (!done() && loop.now() < limit) loop.turn(limit);
  return done();
}

class Readable final : public EpollSource {
 public:
  void on_events(std::uint32_t) override { ++events; }
  int events = 0;
};

}  // namespace

TEST_CASE("a loop ends when it was stopped and its last task has ended") {
  Loop loop(7);
  CHECK(loop.number() == 7);
  CHECK(&Loop::current() == &loop);
  Event go;
  int step = 0;
  const auto task = [&]() -> Task<void> {
    co_await go.wait(Deadline::in(Milliseconds(5), Wait::drain));
    step = 1;
    loop.stop();
    co_await go.wait(Deadline::in(Milliseconds(5), Wait::drain));
    step = 2;
  };
  loop.scope().spawn(task());
  loop.run();
  CHECK(step == 2);
}

TEST_CASE("functions posted by other threads run on the loop's thread, each once, in their thread's order") {
  LoopRunner runner;
  constexpr int kThreads = 4, kEach = 2'000;
  const auto owner = std::this_thread::get_id();
  std::vector<int> last(kThreads, 0);
  int ran = 0, wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (int i = 1; i <= kEach; ++i)
        runner.loop.post([&, t, i] {
          if (std::this_thread::get_id() != owner || last[static_cast<std::size_t>(t)] != i - 1) ++wrong;
          last[static_cast<std::size_t>(t)] = i;
          ++ran;
        });
    });
  CHECK(turn_until(runner.loop, [&] { return ran == kThreads * kEach; }));
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("a post wakes a loop that waits without end") {
  LoopRunner runner;
  Event woken;
  Errc waited = Errc::cancelled;
  const auto task = [&]() -> Task<void> { waited = co_await woken.wait(Deadline::never(Wait::drain)); };
  runner.spawn(task());
  std::thread other([&] { runner.loop.post([&] { woken.set(); }); });
  runner.run();
  other.join();
  CHECK(waited == Errc::ok);
}

TEST_CASE("what a posted function posts runs in a later turn") {
  LoopRunner runner;
  std::vector<int> order;
  runner.loop.post([&] {
    order.push_back(1);
    runner.loop.post([&] { order.push_back(3); });
    order.push_back(2);
  });
  CHECK(turn_until(runner.loop, [&] { return order.size() == 3; }));
  CHECK(order == std::vector<int>{1, 2, 3});
}

TEST_CASE("a spawned task that is ready at once is run before the loop waits") {
  LoopRunner runner;
  Event event;
  bool ended = false;
  const auto task = [&]() -> Task<void> {
    co_await event.wait(Deadline::never(Wait::drain));
    ended = true;
  };
  runner.spawn(task());
  event.set();
  runner.loop.turn();  // without an end: it would hang if ready tasks did not count
  CHECK(ended);
}

TEST_CASE("a uv timer fires, again and again, on a loop that has nothing else to do") {
  LoopRunner runner;
  uv_timer_t timer;
  int fired = 0;
  timer.data = &fired;
  REQUIRE(uv_timer_init(runner.loop.uv(), &timer) == 0);
  const auto count = [](uv_timer_t* t) { ++*static_cast<int*>(t->data); };
  SECTION("that counts for the loop's life") {}
  SECTION("that does not (uv_unref)") { uv_unref(reinterpret_cast<uv_handle_t*>(&timer)); }
  REQUIRE(uv_timer_start(&timer, count, 2, 2) == 0);
  CHECK(turn_until(runner.loop, [&] { return fired >= 3; }));
}

TEST_CASE("a uv timer counts from the present, however long the loop had no use for libuv") {
  LoopRunner runner;
  Event never;
  const auto idle = [&]() -> Task<void> { co_await never.wait(Deadline::in(Milliseconds(60), Wait::drain)); };
  runner.run(idle());
  uv_timer_t timer;
  std::int64_t fired_at = 0;
  timer.data = &fired_at;
  REQUIRE(uv_timer_init(runner.loop.uv(), &timer) == 0);
  const std::int64_t from = runner.loop.now();
  REQUIRE(uv_timer_start(&timer, [](uv_timer_t* t) { *static_cast<std::int64_t*>(t->data) = Loop::current().now(); }, 50, 0) == 0);
  CHECK(turn_until(runner.loop, [&] { return fired_at != 0; }));
  CHECK(fired_at - from >= 45'000'000);  // libuv's clock has milliseconds
}

TEST_CASE("libuv's thread pool answers") {
  LoopRunner runner;
  uv_work_t work;
  std::pair<std::atomic<bool>, bool> state{false, false};
  work.data = &state;
  REQUIRE(uv_queue_work(
              runner.loop.uv(), &work,
              [](uv_work_t* w) { static_cast<decltype(state)*>(w->data)->first = true; },
              [](uv_work_t* w, int) { static_cast<decltype(state)*>(w->data)->second = true; }) == 0);
  CHECK(turn_until(runner.loop, [&] { return state.second; }));
  CHECK(state.first);
}

TEST_CASE("a uv_async wakes the loop from another thread, referenced or not") {
  LoopRunner runner;
  uv_async_t async;
  bool woken = false;
  async.data = &woken;
  REQUIRE(uv_async_init(runner.loop.uv(), &async, [](uv_async_t* a) { *static_cast<bool*>(a->data) = true; }) == 0);
  SECTION("referenced") {}
  SECTION("not") { uv_unref(reinterpret_cast<uv_handle_t*>(&async)); }
  std::thread other([&] { uv_async_send(&async); });
  CHECK(turn_until(runner.loop, [&] { return woken; }));
  other.join();
}

TEST_CASE("a uv_poll handle made later is served beside our own sockets") {
  LoopRunner runner;
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  Fd in(ends[0]), out(ends[1]);
  for (int i = 0; i < 3; ++i) runner.loop.turn(runner.loop.now());
  uv_poll_t poll;
  int events = 0;
  poll.data = &events;
  REQUIRE(uv_poll_init(runner.loop.uv(), &poll, in.get()) == 0);
  REQUIRE(uv_poll_start(&poll, UV_READABLE, [](uv_poll_t* p, int, int) {
            ++*static_cast<int*>(p->data);
            uv_poll_stop(p);
          }) == 0);
  REQUIRE(write(out.get(), "x", 1) == 1);
  CHECK(turn_until(runner.loop, [&] { return events > 0; }));
}

TEST_CASE("handles that a module left open are closed with the loop") {
  uv_timer_t timer;
  uv_async_t async;
  {
    Loop loop(0);
    REQUIRE(uv_timer_init(loop.uv(), &timer) == 0);
    REQUIRE(uv_timer_start(&timer, [](uv_timer_t*) {}, 3'600'000, 0) == 0);
    REQUIRE(uv_async_init(loop.uv(), &async, [](uv_async_t*) {}) == 0);
  }
  CHECK(uv_is_closing(reinterpret_cast<uv_handle_t*>(&timer)));
  CHECK(uv_is_closing(reinterpret_cast<uv_handle_t*>(&async)));
}

TEST_CASE("an idle loop sleeps: 100 ms take a few turns") {
  LoopRunner runner;
  const std::int64_t until = runner.loop.now() + 100'000'000;
  int turns = 0;
  for (; runner.loop.now() < until; ++turns) runner.loop.turn(until);
  CHECK(turns <= 5);
}

TEST_CASE("a source is told nothing once it is removed") {
  LoopRunner runner;
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  Fd in(ends[0]), out(ends[1]);
  const Fd kept(dup(ends[0]));  // keeps the kernel's registration alive past the close of the number
  Readable source;
  runner.loop.add(in.get(), EPOLLIN, source);
  REQUIRE(write(out.get(), "x", 1) == 1);
  runner.loop.turn(runner.loop.now());
  CHECK(source.events == 1);
  runner.loop.remove(in.get());
  in.reset();
  runner.loop.turn(runner.loop.now());
  CHECK(source.events == 1);
}

TEST_CASE("one loop after the other on one thread, and many on many") {
  { const Loop first(0); }
  { const Loop second(1); }
  std::vector<std::thread> threads;
  std::atomic<int> ended = 0;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&ended, i] {
      Loop loop(i);
      const auto task = [&]() -> Task<void> {
        co_await sleep_until(Deadline::in(Milliseconds(5), Wait::drain));
        loop.stop();
      };
      loop.scope().spawn(task());
      loop.run();
      if (Loop::current().number() == i) ++ended;
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(ended == 4);
}
