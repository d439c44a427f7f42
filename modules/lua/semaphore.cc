// ngx.semaphore: light threads of all requests of a VM wait for what others post. One loop.
#include <algorithm>
#include <deque>
#include <memory>

#include "api.h"
#include "seawall/async/event.h"

namespace seawall::lua {
namespace {

constexpr const char* kType = "seawall semaphore";

class SemaphoreAwait;

class Semaphore {
 public:
  static constexpr std::int64_t kMost = INT32_MAX;
  std::int64_t resources = 0;  // kMost at most
  std::deque<SemaphoreAwait*> waiting;
  void post(std::int64_t count);
};
using SemaphorePtr = std::shared_ptr<Semaphore>;

class SemaphoreAwait final : public Await {
 public:
  SemaphoreAwait(SemaphorePtr semaphore, std::int64_t time) : semaphore_(std::move(semaphore)), time_(time) {}
  Task<void> run() override {
    semaphore_->waiting.push_back(this);
    co_await granted_.wait(Deadline::at(Scheduler::current().now() + time_, Wait::handler));
    if (!granted_.is_set()) std::erase(semaphore_->waiting, this);
  }
  // Nobody is left to take what it was given.
  ~SemaphoreAwait() override {
    if (granted_.is_set() && !taken_) semaphore_->post(1);
  }
  int push(lua_State* L) override {
    if (!granted_.is_set()) return push_error(L, "timeout");
    taken_ = true;
    lua_pushboolean(L, 1);
    return 1;
  }
  void grant() { granted_.set(); }

 private:
  const SemaphorePtr semaphore_;
  const std::int64_t time_;
  Event granted_;
  bool taken_ = false;
};

void Semaphore::post(std::int64_t count) {
  for (; count > 0 && !waiting.empty(); --count) {
    waiting.front()->grant();
    waiting.pop_front();
  }
  resources = std::min(resources + count, kMost);
}

SemaphorePtr& semaphore_at(lua_State* L, int index) { return *static_cast<SemaphorePtr*>(luaL_checkudata(L, index, kType)); }

int make(lua_State* L) {
  auto semaphore = std::make_shared<Semaphore>();
  semaphore->resources = whole_number(lua_tonumber(L, 1));
  push_object(L, kType, std::move(semaphore));
  return 1;
}

int post(lua_State* L) {
  semaphore_at(L, 1)->post(whole_number(lua_tonumber(L, 2)));
  lua_pushboolean(L, 1);
  return 1;
}

int count(lua_State* L) {
  const Semaphore& semaphore = *semaphore_at(L, 1);
  lua_pushinteger(L, semaphore.resources - static_cast<std::int64_t>(semaphore.waiting.size()));
  return 1;
}

// wait(semaphore, seconds)
int wait(lua_State* L) {
  SemaphorePtr& semaphore = semaphore_at(L, 1);
  const double seconds = lua_tonumber(L, 2);
  check_call(L, kWaiting, 3);
  if (semaphore->resources > 0) {
    --semaphore->resources;
    lua_pushboolean(L, 1);
    return 1;
  }
  if (seconds <= 0) return push_error(L, "timeout");
  return wait_for(L, std::make_unique<SemaphoreAwait>(semaphore, nanoseconds(seconds)));
}

constexpr luaL_Reg kSemaphore[] = {{"semaphore_new", make}, {"semaphore_post", post}, {"semaphore_count", count}, {"semaphore_wait", wait}};

}  // namespace

std::span<const luaL_Reg> semaphore_api() { return kSemaphore; }

}  // namespace seawall::lua
