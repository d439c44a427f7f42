#include "loops.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <mutex>

namespace seawall::profile {
namespace {

std::mutex mutex;
std::vector<LoopThread>& loops() {
  static std::vector<LoopThread> all;
  return all;
}

}  // namespace

RegisteredLoop::RegisteredLoop(Loop& loop) : loop_(loop) {
  const std::lock_guard lock(mutex);
  loops().push_back({&loop, loop.number(), ::pthread_self(), static_cast<pid_t>(::syscall(SYS_gettid))});
}

RegisteredLoop::~RegisteredLoop() {
  const std::lock_guard lock(mutex);
  std::erase_if(loops(), [this](const LoopThread& one) { return one.loop == &loop_; });
}

std::vector<LoopThread> all_loops() {
  const std::lock_guard lock(mutex);
  std::vector<LoopThread> all = loops();
  std::sort(all.begin(), all.end(), [](const LoopThread& a, const LoopThread& b) { return a.number < b.number; });
  return all;
}

void post_to(Loop& there, std::function<void()> fn) {
  const std::lock_guard lock(mutex);
  const auto& all = loops();
  if (std::any_of(all.begin(), all.end(), [&](const LoopThread& one) { return one.loop == &there; })) there.post(std::move(fn));
}

Task<Errc> run_on(Loop& there, std::function<void()> fn, Deadline deadline) {
  const auto done = std::make_shared<Event>();
  Loop& here = Loop::current();
  post_to(there, [done, fn = std::move(fn), &here] {
    fn();
    post_to(here, [done] { done->set(); });
  });
  co_return co_await done->wait(deadline);
}

}  // namespace seawall::profile
