#include "seawall/async/look.h"

#include <cstring>

namespace seawall {
namespace {

// All promises begin with a PromiseBase, wherever in a frame GCC puts those that need no more than the usual alignment.
PromiseBase& promise_of(std::coroutine_handle<> coroutine) {
  return std::coroutine_handle<PromiseBase>::from_address(coroutine.address()).promise();
}

// A frame begins with the address of what resumes it.
AsyncFrame frame_of(std::coroutine_handle<> coroutine) {
  std::uintptr_t function;
  std::memcpy(&function, coroutine.address(), sizeof function);
  return {coroutine, function, promise_of(coroutine).scope};
}

}  // namespace

AsyncLook::Wait AsyncLook::wait_of(const Waiter& waiter) {
  std::optional<Deadline> deadline;
  if (waiter.kind_ != Waiter::tasks) deadline = static_cast<const BoundWaiter&>(waiter).deadline();
  return {waiter.handle_, waiter.kind_, deadline, !waiter.waiting_};
}

void AsyncLook::waits_in(Scope& scope, const std::function<void(const Wait&)>& visit) {
  for (Waiter* waiter = scope.waits_.front(); waiter; waiter = scope.waits_.next(*waiter)) visit(wait_of(*waiter));
}

std::optional<AsyncLook::Wait> AsyncLook::wait_for_end_of(const Scope& scope) {
  if (!scope.joiner_) return std::nullopt;
  return wait_of(*scope.joiner_);
}

void AsyncLook::scopes_in(Scope& scope, const std::function<void(Scope&)>& visit) {
  for (Scope* child = scope.children_.front(); child; child = scope.children_.next(*child)) visit(*child);
}

void AsyncLook::waits_over(const std::function<void(const Wait&)>& visit) {
  List<Waiter>& ready = Scheduler::current().ready_;
  for (Waiter* waiter = ready.front(); waiter; waiter = ready.next(*waiter)) visit(wait_of(*waiter));
}

void AsyncLook::stack(std::coroutine_handle<> waiting, const std::function<bool(const AsyncFrame&)>& visit) {
  // What Scope::spawn() puts around a task has no parent, and nobody has written it.
  for (; waiting && promise_of(waiting).parent; waiting = promise_of(waiting).parent)
    if (!visit(frame_of(waiting))) return;
}

Scope* AsyncLook::spawned_in(std::coroutine_handle<> waiting) {
  while (promise_of(waiting).parent) waiting = promise_of(waiting).parent;
  return promise_of(waiting).scope;
}

}  // namespace seawall
