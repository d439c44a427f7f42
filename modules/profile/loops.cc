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

void forget(const Loop& loop) {
  const std::lock_guard lock(mutex);
  std::erase_if(loops(), [&](const LoopThread& one) { return one.loop == &loop; });
}

Task<void> wait(Event& event) { [[maybe_unused]] const Errc ended = co_await event.wait(Deadline::never(Wait::drain)); }

// Until the loop's own scope is cancelled, which is the last that happens to it. What has been posted before runs yet: the task
// holds the loop for the turn that it takes.
Task<void> leave_at_end(Loop& loop) {
  Event end;
  co_await wait(end);
  forget(loop);
  Scope uncancelled;
  Event last;
  uncancelled.spawn(wait(last));
  loop.post([&last] { last.set(); });
  co_await uncancelled.join();
}

}  // namespace

// Its first turn: one that never turns has no task.
RegisteredLoop::RegisteredLoop(Loop& loop) : loop_(loop) {
  loop.post([&loop] {
    {
      const std::lock_guard lock(mutex);
      loops().push_back({&loop, loop.number(), ::pthread_self(), static_cast<pid_t>(::syscall(SYS_gettid))});
    }
    loop.scope().spawn(leave_at_end(loop));
  });
}

RegisteredLoop::~RegisteredLoop() { forget(loop_); }

std::vector<LoopThread> all_loops() {
  const std::lock_guard lock(mutex);
  std::vector<LoopThread> all = loops();
  std::sort(all.begin(), all.end(), [](const LoopThread& a, const LoopThread& b) { return a.number < b.number; });
  return all;
}

bool post_to(Loop& there, std::function<void()> fn) {
  const std::lock_guard lock(mutex);
  const auto& all = loops();
  if (std::none_of(all.begin(), all.end(), [&](const LoopThread& one) { return one.loop == &there; })) return false;
  there.post(std::move(fn));
  return true;
}

Task<void> Errand::run_and_return(std::shared_ptr<Errand> errand) {
  co_await errand->run();
  post_to(errand->here_, [errand] { errand->back_.set(); });
}

bool send(Loop& there, const std::shared_ptr<Errand>& errand) {
  errand->there_ = &there;
  return post_to(there, [errand, &there] { there.scope().spawn(Errand::run_and_return(errand)); });
}

Task<Errc> wait_for(std::shared_ptr<Errand> errand, Deadline deadline) {
  const Errc back = co_await errand->back_.wait(deadline);
  if (back != Errc::ok) post_to(*errand->there_, [errand] { errand->left.set(); });
  co_return back;
}

}  // namespace seawall::profile
