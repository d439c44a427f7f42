#include "seawall/async/scope.h"

namespace seawall {
namespace {

void (*exception_handler)(std::exception_ptr) = nullptr;

// The one scope that is nobody's child and never cancelled: those who join a scope wait in it.
Scope& joiners() {
  thread_local Scope scope;
  return scope;
}

}  // namespace

// The outermost coroutine of a spawned task: destroys itself at its end.
class Scope::Root {
 public:
  struct promise_type : PromiseBase {
    promise_type(Scope& s, Task<void>&) { scope = &s; }
    Root get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { CHECK(!"an exception left Scope::run"); }
  };
};

Scope::Scope(Scope* parent) {
  if (!parent) return;
  parent->children_.push_back(*this);
  cancelled_ = parent->cancelled_;
}

Scope::~Scope() {
  CHECK(tasks_ == 0);
  CHECK(waits_.empty());
  CHECK(children_.empty());
}

Scope::Root Scope::run(Scope& scope, Task<void> task) {
  {
    Task<void> running = std::move(task);  // its frame dies before the scope hears of the end
    try {
      co_await running;
    } catch (...) {
      if (exception_handler) exception_handler(std::current_exception());
      else throw;
    }
  }
  scope.task_ended();
}

void Scope::spawn(Task<void> task) {
  ++tasks_;
  run(*this, std::move(task));
}

void Scope::task_ended() {
  CHECK(tasks_ > 0);
  if (--tasks_ == 0 && joiner_) joiner_->complete(Errc::ok);
}

bool Scope::all_ended() {
  if (tasks_ > 0) return false;
  for (Scope* child = children_.front(); child; child = children_.next(*child))
    if (!child->all_ended()) return false;
  return true;
}

void Scope::cancel() {
  cancelled_ = true;
  while (Waiter* waiter = waits_.front()) waiter->complete(Errc::cancelled);
  for (Scope* child = children_.front(); child; child = children_.next(*child)) child->cancel();
}

void Scope::wait_for_end(Waiter& waiter, std::coroutine_handle<> awaiter) {
  CHECK(!joiner_);
  waiter.set_place(&joiner_);
  CHECK(waiter.suspend(awaiter, &joiners()));
}

void Scope::set_exception_handler(void (*handler)(std::exception_ptr)) { exception_handler = handler; }

}  // namespace seawall
