// Work that would hold up a loop (a password's hash), done by threads of its own pool while the loop goes on. Pools are kept
// apart by what they do: nothing short waits behind something long.
//
//   ThreadPool hashes(2, 1000);                                     // dies before the loops whose tasks use it
//   auto work = [text, setting] { return hash_of(text, setting); };  // owns what it needs: it may outlive its task
//   Result<std::string> hash = co_await offload(hashes, std::move(work), Deadline::in(time, Wait::handler));
#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "seawall/async/event.h"
#include "seawall/base/result.h"
#include "seawall/net/loop.h"

namespace seawall {

// At most `threads` threads, started when there is work for them; at most `waiting` jobs wait for one. Any thread.
class SEAWALL_API ThreadPool {
 public:
  ThreadPool(std::size_t threads, std::size_t waiting) : max_threads_(threads), max_waiting_(waiting) {}
  // Waits for the jobs at work; those that have not begun never will.
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // False: too many wait already, or no thread can be had. `job` must not throw.
  bool add(std::function<void()> job);

 private:
  bool start_thread();
  void work();

  const std::size_t max_threads_, max_waiting_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  std::vector<std::thread> threads_;
  std::size_t resting_ = 0;
  bool stopping_ = false;
};

// One piece of work between its task and its thread: whoever lets go last frees it.
template <class F>
class Offloaded {
 public:
  using Value = std::invoke_result_t<F&>;
  explicit Offloaded(F work) : work_(std::move(work)) {}

  Event done;                            // the task's loop's
  std::atomic<bool> abandoned = false;   // nobody waits any more: not worth beginning

  void run() {
    if (abandoned) return;
    try {
      value_.emplace(work_());
    } catch (...) {
      error_ = std::current_exception();
    }
  }
  Value take() {
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
    return std::move(*value_);
  }

 private:
  F work_;
  std::optional<Value> value_;
  std::exception_ptr error_;
};

// Runs work() on a thread of the pool. Its value; timed_out or cancelled when the wait ended first (the thread then works on
// for nobody, or never begins); exhausted when the pool takes no more. An exception of the work is the awaiter's.
template <class F>
Task<Result<std::invoke_result_t<F&>>> offload(ThreadPool& pool, F work, Deadline deadline) {
  const auto job = std::make_shared<Offloaded<F>>(std::move(work));
  Loop& loop = Loop::current();
  // The thread hands on what it holds: the task's side frees the work, unless nobody is left there.
  const bool taken = pool.add([job, &loop]() mutable {
    job->run();
    loop.post([job = std::move(job)] { job->done.set(); });
  });
  if (!taken) co_return Errc::exhausted;
  const Errc waited = co_await job->done.wait(deadline);
  job->abandoned = true;
  if (waited != Errc::ok) co_return waited;
  co_return job->take();
}

}  // namespace seawall
