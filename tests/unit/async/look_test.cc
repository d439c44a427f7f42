#include "seawall/async/look.h"

#include <vector>

#include "seawall/async/event.h"
#include "seawall/async/run_watcher.h"
#include "unit/async/runner.h"

using namespace seawall;
using test::Runner;

namespace {

constexpr std::int64_t kFar = 1'000'000'000'000'000'000;

Task<void> inner(Event& event) { co_await event.wait(Deadline::at(kFar, Wait::header)); }
Task<int> middle(Event& event) {
  co_await inner(event);
  co_return 1;
}
Task<void> outer(Event& event, std::coroutine_handle<>& self) {
  self = co_await current_coroutine();
  co_await middle(event);
}

std::vector<AsyncLook::Wait> waits_in(Scope& scope) {
  std::vector<AsyncLook::Wait> waits;
  AsyncLook::waits_in(scope, [&](const AsyncLook::Wait& wait) { waits.push_back(wait); });
  return waits;
}

std::vector<AsyncFrame> stack_of(std::coroutine_handle<> waiting) {
  std::vector<AsyncFrame> frames;
  AsyncLook::stack(waiting, [&](const AsyncFrame& frame) {
    frames.push_back(frame);
    return true;
  });
  return frames;
}

}  // namespace

TEST_CASE("a look finds a wait, its deadline and its asynchronous stack") {
  Runner runner;
  Event event;
  std::coroutine_handle<> outermost;
  runner.scope.spawn(outer(event, outermost));
  const auto waits = waits_in(runner.scope);
  REQUIRE(waits.size() == 1);
  CHECK(waits[0].kind == Waiter::event);
  CHECK(waits[0].deadline->when() == kFar);
  CHECK(waits[0].deadline->wait() == Wait::header);
  CHECK_FALSE(waits[0].is_over);
  const auto frames = stack_of(waits[0].coroutine);
  REQUIRE(frames.size() == 3);
  CHECK(frames[2].coroutine == outermost);
  for (const AsyncFrame& frame : frames) CHECK(frame.scope == &runner.scope);
  CHECK(frames[0].function != frames[1].function);
  event.set();
  runner.run();
  CHECK(waits_in(runner.scope).empty());
}

TEST_CASE("a look finds what is over and has not gone on yet") {
  Runner runner;
  Event event;
  std::coroutine_handle<> outermost;
  runner.scope.spawn(outer(event, outermost));
  event.set();
  int over = 0;
  AsyncLook::waits_over([&](const AsyncLook::Wait& wait) { over += wait.is_over && stack_of(wait.coroutine).size() == 3; });
  CHECK(over == 1);
  CHECK(waits_in(runner.scope).empty());
  runner.run();
}

TEST_CASE("a look finds scopes below a scope, and who waits for their end") {
  Runner runner;
  Event event;
  std::coroutine_handle<> outermost, joining;
  const auto parent = [&]() -> Task<void> {
    joining = co_await current_coroutine();
    Scope& around = co_await current_scope();
    Scope children(&around);
    children.spawn(outer(event, outermost));
    co_await children.join();
  };
  runner.scope.spawn(parent());
  int scopes = 0;
  AsyncLook::scopes_in(runner.scope, [&](Scope& scope) {
    ++scopes;
    CHECK(waits_in(scope).size() == 1);
    const auto end = AsyncLook::wait_for_end_of(scope);
    REQUIRE(end);
    CHECK(end->coroutine == joining);
    CHECK(end->kind == Waiter::tasks);
    CHECK_FALSE(end->deadline);
  });
  CHECK(scopes == 1);
  CHECK_FALSE(AsyncLook::wait_for_end_of(runner.scope));
  event.set();
  runner.run();
}

TEST_CASE("a watcher resumes what is ready, as long as it watches") {
  class Watcher final : public RunWatcher {
   public:
    void resume(std::coroutine_handle<> waiting) override {
      depths.push_back(stack_of(waiting).size());
      waiting.resume();
    }
    void woken(std::int64_t) override {}
    void did(const char*) override {}
    void turned() override {}
    std::vector<std::size_t> depths;
  } watcher;
  Runner runner;
  Event first, second;
  std::coroutine_handle<> outermost;
  runner.scope.spawn(outer(first, outermost));
  runner.scope.spawn(inner(second));
  runner.scheduler.set_watcher(&watcher);
  first.set();
  runner.turn();
  CHECK(watcher.depths == std::vector<std::size_t>{3});
  runner.scheduler.set_watcher(nullptr);
  second.set();
  runner.run();
  CHECK(watcher.depths.size() == 1);
}
