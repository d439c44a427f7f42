// What every suspended wait of one thread hangs on: the list of waits that may go on, the heap of timers, the clock.
// It knows no file descriptors: net/loop.h drives it. One per thread; everything here belongs to that thread.
//
// A leaf (socket, event, offload) embeds a Waiter in the awaiting coroutine's frame. A callback calls complete(), which
// only moves the Waiter to the ready list; the Scheduler resumes it from run_ready(), never inside the callback.
#pragma once
#include <coroutine>
#include <cstdint>
#include <vector>

#include "seawall/async/deadline.h"
#include "seawall/base/error.h"
#include "seawall/base/export.h"
#include "seawall/base/list.h"

namespace seawall {

class AsyncLook;
class RunWatcher;
class Scope;
class Scheduler;

// A node of the timer heap: 24 bytes, removed synchronously.
class SEAWALL_API Timer {
 public:
  explicit Timer(void (*fire)(Timer&)) : fire_(fire) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer();
  bool armed() const { return position_ != kOut; }
  std::int64_t when() const { return when_; }

 private:
  friend class Scheduler;
  static constexpr std::uint32_t kOut = ~0u;
  std::int64_t when_ = 0;
  void (*fire_)(Timer&);
  std::uint32_t position_ = kOut;
};

// One suspended wait.
class SEAWALL_API Waiter : public ListNode {
 public:
  // What for, as those want to know who look at what waits (async/look.h).
  enum Kind : std::uint8_t { tasks, event, time, socket };
  explicit Waiter(Kind kind) : kind_(kind) {}
  // Suspends `handle` in `scope`; false when the scope is cancelled already: then error() says so and nothing waits.
  bool suspend(std::coroutine_handle<> handle, Scope* scope);
  // There is nothing to wait for: what error() will say.
  void refuse(Errc error) { error_ = error; }
  // Ends the wait with `error` (ok: what was awaited happened). At most once a suspension; later calls do nothing.
  void complete(Errc error);
  bool waiting() const { return waiting_; }
  Errc error() const { return error_; }
  // Where the leaf keeps its pointer to this Waiter: emptied when the wait ends for whatever reason.
  void set_place(Waiter** place) { place_ = place; *place = this; }

 private:
  friend class AsyncLook;
  friend class Scheduler;
  std::coroutine_handle<> handle_;
  Waiter** place_ = nullptr;
  Errc error_ = Errc::ok;
  bool waiting_ = false;
  const Kind kind_;
};

// One that has a Deadline: all but those that wait for tasks to end.
class BoundWaiter : public Waiter {
 public:
  BoundWaiter(Kind kind, Deadline deadline) : Waiter(kind), deadline_(deadline) {}
  Deadline deadline() const { return deadline_; }

 private:
  Deadline deadline_;
};

class SEAWALL_API Scheduler {
 public:
  Scheduler();
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  static Scheduler& current();  // this thread's; CHECKs that there is one

  std::int64_t now() const { return now_; }  // nanoseconds, read once a turn
  void update_clock();

  void arm(Timer& timer, std::int64_t when);  // arms or moves it
  void disarm(Timer& timer);
  std::int64_t next_timer() const { return heap_.empty() ? Deadline::kNever : heap_.front()->when_; }
  void fire_timers();  // all that are due

  void add_ready(Waiter& waiter) { ready_.push_back(waiter); }
  bool has_ready() const { return !ready_.empty(); }
  void run_ready();  // until the list is empty: what wakes meanwhile runs too

  // Told of all that this thread does, and resumes for it what is ready; it outlives the scheduler, null: nobody.
  void set_watcher(RunWatcher* watcher) { watcher_ = watcher; }
  RunWatcher* watcher() const { return watcher_; }

 private:
  friend class AsyncLook;
  void place(std::uint32_t position, Timer* timer);
  void sift_up(std::uint32_t position, Timer* timer);
  void sift_down(std::uint32_t position, Timer* timer);

  std::int64_t now_ = 0;
  std::vector<Timer*> heap_;  // 4-ary
  List<Waiter> ready_;
  RunWatcher* watcher_ = nullptr;
};

}  // namespace seawall
