// Event: one task waits until another part of the same thread says go. Manual reset: once set, waits return at once
// until reset() is called. At most one waiter (CHECKed). set() never resumes inline, so it is safe in callbacks.
//
//   Errc e = co_await ready.wait(Deadline::in(timeout, Wait::send));   // ok, timed_out or cancelled
#pragma once
#include "seawall/async/scope.h"

namespace seawall {

// A Waiter with a Deadline of its own; for leaves that are not sockets (those keep lazy timers of their own).
class TimedWaiter : public BoundWaiter {
 public:
  using BoundWaiter::BoundWaiter;
  bool suspend(std::coroutine_handle<> handle, Scope* scope) {
    if (!Waiter::suspend(handle, scope)) return false;
    if (!deadline().is_never()) Scheduler::current().arm(timer_.timer, deadline().when());
    return true;
  }
  void disarm() { if (timer_.timer.armed()) Scheduler::current().disarm(timer_.timer); }

 private:
  struct Armed {
    Timer timer{[](Timer& t) { reinterpret_cast<Armed&>(t).owner->complete(Errc::timed_out); }};
    Waiter* owner;
  } timer_{.owner = this};
};

class SEAWALL_API Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() { CHECK(!waiter_); }

  void set() {
    set_ = true;
    if (waiter_) waiter_->complete(Errc::ok);
  }
  void reset() { set_ = false; }
  bool is_set() const { return set_; }
  auto wait(Deadline deadline) { return Awaiter(*this, deadline); }

 private:
  class Awaiter {
   public:
    Awaiter(Event& event, Deadline deadline) : event_(event), waiter_(Waiter::event, deadline) {}
    bool await_ready() const { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> awaiter) {
      CHECK(!event_.waiter_);
      Scope* const scope = awaiter.promise().scope;
      if (event_.set_ && !scope->cancelled()) return false;
      if (!waiter_.suspend(awaiter, scope)) return false;
      waiter_.set_place(&event_.waiter_);
      return true;
    }
    Errc await_resume() {
      waiter_.disarm();
      return waiter_.error();
    }

   private:
    Event& event_;
    TimedWaiter waiter_;
  };
  Waiter* waiter_ = nullptr;
  bool set_ = false;
};

// co_await sleep_until(deadline): timed_out when it came, cancelled before.
class Sleep {
 public:
  explicit Sleep(Deadline deadline) : waiter_(Waiter::time, deadline) {}
  bool await_ready() const { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> awaiter) {
    return waiter_.suspend(awaiter, awaiter.promise().scope);
  }
  Errc await_resume() {
    waiter_.disarm();
    return waiter_.error();
  }

 private:
  TimedWaiter waiter_;
};
inline Sleep sleep_until(Deadline deadline) { return Sleep(deadline); }

}  // namespace seawall
