#include "seawall/net/offload.h"

#include <sched.h>

#include <csignal>
#include <system_error>

namespace seawall {
namespace {

// The process's signals are for its loops; what a thread does wrong itself is its own.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP}) sigdelset(&all, own);
    pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

// The processors that the process had before any loop was bound to one (worker_cpu_affinity): threads inherit their maker's, and
// are to relieve it.
const cpu_set_t every_cpu = [] {
  cpu_set_t all;
  CPU_ZERO(&all);
  ::sched_getaffinity(0, sizeof all, &all);
  return all;
}();

}  // namespace

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    jobs_.clear();
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool ThreadPool::add(std::function<void()> job) {
  std::lock_guard lock(mutex_);
  if (jobs_.size() >= max_waiting_) return false;
  if (resting_ <= jobs_.size() && !start_thread() && threads_.empty()) return false;
  jobs_.push_back(std::move(job));
  wake_.notify_one();
  return true;
}

bool ThreadPool::start_thread() {
  if (threads_.size() >= max_threads_) return false;
  const SignalsBlocked blocked;
  try {
    threads_.emplace_back([this] { work(); });
  } catch (const std::system_error&) {  // the system has no thread left: those at work will do, if there are any
    return false;
  }
  return true;
}

void ThreadPool::work() {
  ::sched_setaffinity(0, sizeof every_cpu, &every_cpu);
  std::unique_lock lock(mutex_);
  for (;;) {
    ++resting_;
    wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    --resting_;
    if (stopping_) return;
    std::function<void()> job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    job = nullptr;  // what it owns dies outside the lock
    lock.lock();
  }
}

}  // namespace seawall
