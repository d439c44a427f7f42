#include "seawall/async/look.h"

#include <cstring>

namespace seawall {
namespace {

// All promises begin with a PromiseBase, wherever in a frame GCC puts those that need no more than the usual alignment.
PromiseBase& promise_of(std::coroutine_handle<> coroutine) {
  return std::coroutine_handle<PromiseBase>::from_address(coroutine.address()).promise();
}

}  // namespace

// A frame begins with the address of what resumes it.
AsyncFrame AsyncLook::frame_of(std::coroutine_handle<> coroutine) {
  std::uintptr_t function;
  std::memcpy(&function, coroutine.address(), sizeof function);
  return {coroutine, function, promise_of(coroutine).scope};
}

std::coroutine_handle<> AsyncLook::parent_of(std::coroutine_handle<> coroutine) { return promise_of(coroutine).parent; }

AsyncLook::Wait AsyncLook::wait_of(const Waiter& waiter) {
  std::optional<Deadline> deadline;
  if (waiter.kind_ != Waiter::tasks) deadline = static_cast<const BoundWaiter&>(waiter).deadline();
  return {waiter.handle_, waiter.kind_, deadline, !waiter.waiting_};
}

std::optional<AsyncLook::Wait> AsyncLook::wait_for_end_of(const Scope& scope) {
  if (!scope.joiner_) return std::nullopt;
  return wait_of(*scope.joiner_);
}

}  // namespace seawall
