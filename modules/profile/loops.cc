#include "loops.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
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

}  // namespace seawall::profile
