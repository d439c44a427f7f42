// Loop: one thread, its sockets, timers, tasks and its libuv loop. Everything not marked otherwise belongs to exactly
// one Loop and is touched by its thread alone; other threads use post().
//
// Sockets hang on an epoll set of our own, edge-triggered, and libuv's backend descriptor is one member of that set
// (libuv's documented way of being embedded): a connection costs one epoll_ctl in its life, closing it is synchronous,
// and libuv still serves the thread pool and whatever a module brings (core/DECISIONS.md).
#pragma once
#include <uv.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "seawall/async/scheduler.h"
#include "seawall/async/scope.h"
#include "seawall/base/fd.h"

namespace seawall {

// Something with a descriptor in the loop's epoll set. on_events only records and wakes (Waiter::complete).
class EpollSource : public ListNode {
 public:
  virtual void on_events(std::uint32_t events) = 0;

 protected:
  ~EpollSource() = default;

 private:
  friend class Loop;
  std::uint32_t again_ = 0;  // the events of Loop::again()
};

class SEAWALL_API Loop {
 public:
  explicit Loop(int number);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  static Loop& current();  // this thread's
  int number() const { return number_; }
  Scheduler& scheduler() { return scheduler_; }
  std::int64_t now() const { return scheduler_.now(); }
  uv_loop_t* uv() { return &uv_; }

  // The root of all tasks of this loop; stop() makes run() return once they have ended.
  Scope& scope() { return *scope_; }
  // Runs until stop() was called and every task has ended, here and in all scopes below.
  void run();
  void stop() { stopping_ = true; }
  bool stopping() const { return stopping_; }
  // One turn: ready tasks, timers, events. Waits at most until `latest` (for tests).
  void turn(std::int64_t latest = Deadline::kNever);

  // Any thread: fn runs on this loop's thread in its next turn; never, when run() has returned.
  void post(std::function<void()> fn);

  void add(int fd, std::uint32_t events, EpollSource& source);
  void remove(int fd);
  // Tells `source` these events in the next turn, as if the kernel had: for one that has had its share of this turn.
  void again(EpollSource& source, std::uint32_t events);
  std::uint32_t turns() const { return turns_; }

  // Scratch memory for one synchronous step (never across a co_await): 64 KiB.
  std::span<char> scratch() { return {scratch_.get(), kScratch}; }
  static constexpr std::size_t kScratch = 64 * 1024;

  // What modules keep per loop (loop_start's result), by module number.
  std::vector<void*> module_states;

 private:
  class Posted;
  void watched_turn(std::int64_t latest);
  int wait_time(std::int64_t latest);
  void poll(int timeout);
  void run_uv();

  const int number_;
  Scheduler scheduler_;
  Fd epoll_;
  std::uint32_t turns_ = 1;
  List<EpollSource> again_;
  uv_loop_t uv_;
  uv_async_t uv_alive_;  // libuv serves nobody, not even an unreferenced handle, while it thinks that it has no use
  bool uv_due_ = true;
  class UvBackend final : public EpollSource {
   public:
    explicit UvBackend(Loop& loop) : loop_(loop) {}
    void on_events(std::uint32_t) override { loop_.uv_due_ = true; }

   private:
    Loop& loop_;
  } uv_backend_{*this};
  std::unique_ptr<Posted> posted_;
  std::unique_ptr<char[]> scratch_;
  std::unique_ptr<Scope> scope_;
  bool stopping_ = false;
};

}  // namespace seawall
