// TryFirst<Work>: awaits work that mostly can be done at once: tried without a coroutine, which is made only when it
// turns out that something must be waited for.
//
//   class Work {
//     std::optional<T> now();   // the result, or nothing when it must wait; bool where T is void
//     Task<T> later();          // goes on where now() stopped; the Work outlives it
//   };
#pragma once
#include <optional>
#include <type_traits>
#include <utility>

#include "seawall/async/task.h"

namespace seawall {

template <class Work>
class [[nodiscard]] TryFirst {
 public:
  template <class... Arguments>
  explicit TryFirst(std::in_place_t, Arguments&&... arguments) : work_(std::forward<Arguments>(arguments)...) {}
  TryFirst(const TryFirst&) = delete;
  TryFirst& operator=(const TryFirst&) = delete;

  bool await_ready() {
    value_ = work_.now();
    return static_cast<bool>(value_);
  }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> awaiter) {
    task_.emplace(work_.later());
    return task_->await_suspend(awaiter);
  }
  auto await_resume() {
    if (task_) return task_->await_resume();
    if constexpr (!std::is_same_v<decltype(value_), bool>) return std::move(*value_);
  }

 private:
  Work work_;
  decltype(std::declval<Work&>().now()) value_{};
  std::optional<decltype(std::declval<Work&>().later())> task_;
};

}  // namespace seawall
