// Task<T>: a coroutine that starts when it is awaited, is awaited once, and belongs to one thread.
//
//   Task<Result<Head>> read_head(Connection& c);
//   auto head = co_await read_head(c);
//
// The child runs inside the parent's await_suspend; a child that ends without waiting lets the parent go on, so the
// stack stays bounded in every build (GCC 12 makes no tail calls at -O0 nor under ASan). The Scope is inherited at
// co_await; `.in(scope)` runs the child in another one. Never co_await inside `?:` nor in one expression with aggregate
// braces (GCC 12 destroys twice; core/DECISIONS.md).
#pragma once
#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

#include "seawall/base/check.h"
#include "seawall/base/pool.h"

namespace seawall {

class Scope;

class PromiseBase : public Pooled {
 public:
  Scope* scope = nullptr;
  std::coroutine_handle<> parent;
  bool starting = false;  // still inside the parent's await_suspend
  std::exception_ptr error;

  std::suspend_always initial_suspend() noexcept { return {}; }
  struct Final {
    bool await_ready() noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> self) noexcept {
      auto& promise = self.promise();
      if (promise.starting || !promise.parent) return std::noop_coroutine();
      return promise.parent;
    }
    void await_resume() noexcept {}
  };
  Final final_suspend() noexcept { return {}; }
  void unhandled_exception() { error = std::current_exception(); }
};

template <class T>
class [[nodiscard]] Task;

template <class T>
class TaskPromise : public PromiseBase {
 public:
  Task<T> get_return_object();
  template <class U = T>
  void return_value(U&& value) { value_.emplace(std::forward<U>(value)); }
  T take() { return std::move(*value_); }

 private:
  std::optional<T> value_;
};

template <>
class TaskPromise<void> : public PromiseBase {
 public:
  Task<void> get_return_object();
  void return_void() {}
  void take() {}
};

template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = TaskPromise<T>;
  explicit Task(std::coroutine_handle<promise_type> handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&&) = delete;
  ~Task() { if (handle_) handle_.destroy(); }

  // Runs the child in `scope` instead of the awaiter's: cancelling it ends the child alone.
  Task&& in(Scope& scope) && {
    handle_.promise().scope = &scope;
    return std::move(*this);
  }

  bool await_ready() const { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> awaiter) {
    auto& promise = handle_.promise();
    promise.parent = awaiter;
    if (!promise.scope) promise.scope = awaiter.promise().scope;
    promise.starting = true;
    handle_.resume();
    if (handle_.done()) return false;
    promise.starting = false;
    return true;
  }
  T await_resume() {
    auto& promise = handle_.promise();
    if (promise.error) std::rethrow_exception(promise.error);
    return promise.take();
  }

 private:
  std::coroutine_handle<promise_type> handle_;
};

template <class T>
Task<T> TaskPromise<T>::get_return_object() {
  static_assert(alignof(TaskPromise<T>) <= 16, "async/look.cc would not find it in the frame");
  return Task<T>(std::coroutine_handle<TaskPromise<T>>::from_promise(*this));
}
inline Task<void> TaskPromise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<TaskPromise<void>>::from_promise(*this));
}

// co_await current_scope(): the Scope of the running task.
class CurrentScope {
 public:
  bool await_ready() const { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> awaiter) {
    scope_ = awaiter.promise().scope;
    return false;
  }
  Scope& await_resume() const { return *scope_; }

 private:
  Scope* scope_ = nullptr;
};
inline CurrentScope current_scope() { return {}; }

}  // namespace seawall
