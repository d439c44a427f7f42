#include "seawall/async/scheduler.h"

#include <ctime>

#include "seawall/async/run_watcher.h"
#include "seawall/async/scope.h"

namespace seawall {
namespace {
thread_local Scheduler* this_thread = nullptr;
constexpr std::uint32_t kArity = 4;
}  // namespace

Timer::~Timer() {
  if (armed()) Scheduler::current().disarm(*this);
}

bool Waiter::suspend(std::coroutine_handle<> handle, Scope* scope) {
  CHECK(!waiting_);
  if (scope->cancelled()) {
    error_ = Errc::cancelled;
    return false;
  }
  handle_ = handle;
  error_ = Errc::ok;
  waiting_ = true;
  scope->waits_.push_back(*this);
  return true;
}

void Waiter::complete(Errc error) {
  if (!waiting_) return;
  waiting_ = false;
  error_ = error;
  if (place_) *place_ = nullptr;
  unlink();
  Scheduler::current().add_ready(*this);
}

Scheduler::Scheduler() {
  CHECK(!this_thread);
  this_thread = this;
  update_clock();
}

Scheduler::~Scheduler() {
  CHECK(heap_.empty());
  this_thread = nullptr;
}

Scheduler& Scheduler::current() {
  CHECK(this_thread);
  return *this_thread;
}

void Scheduler::update_clock() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  now_ = t.tv_sec * 1'000'000'000LL + t.tv_nsec;
}

void Scheduler::run_ready() {
  while (Waiter* waiter = ready_.pop_front()) {
    if (watcher_) [[unlikely]] watcher_->resume(waiter->handle_);
    else waiter->handle_.resume();
  }
}

void Scheduler::place(std::uint32_t position, Timer* timer) {
  heap_[position] = timer;
  timer->position_ = position;
}

void Scheduler::sift_up(std::uint32_t position, Timer* timer) {
  while (position > 0) {
    const std::uint32_t parent = (position - 1) / kArity;
    if (heap_[parent]->when_ <= timer->when_) break;
    place(position, heap_[parent]);
    position = parent;
  }
  place(position, timer);
}

void Scheduler::sift_down(std::uint32_t position, Timer* timer) {
  const auto size = static_cast<std::uint32_t>(heap_.size());
  for (;;) {
    const std::uint32_t first = position * kArity + 1;
    if (first >= size) break;
    std::uint32_t least = first;
    for (std::uint32_t i = first + 1; i < first + kArity && i < size; ++i)
      if (heap_[i]->when_ < heap_[least]->when_) least = i;
    if (heap_[least]->when_ >= timer->when_) break;
    place(position, heap_[least]);
    position = least;
  }
  place(position, timer);
}

void Scheduler::arm(Timer& timer, std::int64_t when) {
  disarm(timer);
  timer.when_ = when;
  heap_.push_back(&timer);
  sift_up(static_cast<std::uint32_t>(heap_.size() - 1), &timer);
}

void Scheduler::disarm(Timer& timer) {
  if (!timer.armed()) return;
  const std::uint32_t hole = timer.position_;
  timer.position_ = Timer::kOut;
  Timer* last = heap_.back();
  heap_.pop_back();
  if (last == &timer) return;
  if (hole > 0 && heap_[(hole - 1) / kArity]->when_ > last->when_) sift_up(hole, last);
  else sift_down(hole, last);
}

void Scheduler::fire_timers() {
  while (!heap_.empty() && heap_.front()->when_ <= now_) {
    Timer* timer = heap_.front();
    disarm(*timer);
    timer->fire_(*timer);
  }
}

}  // namespace seawall
