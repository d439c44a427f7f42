// BodyTurn: the request's body has one reader at a time, whatever light threads ask for it; the others wait. One loop.
#pragma once
#include "request_state.h"
#include "seawall/async/event.h"

namespace seawall::lua {

class BodyTurn {
 public:
  explicit BodyTurn(RequestState& state) : state_(state) {}
  BodyTurn(const BodyTurn&) = delete;
  ~BodyTurn() {
    if (!has_it_) return;
    state_.body_busy = false;
    if (state_.body_waiters.empty()) return;
    state_.body_waiters.front()->free_.set();
  }
  // ok: it is ours until we are destroyed; cancelled.
  Task<Errc> wait() {
    while (state_.body_busy) {
      state_.body_waiters.push_back(this);
      free_.reset();
      const Errc waited = co_await free_.wait(Deadline::never(Wait::handler));
      std::erase(state_.body_waiters, this);
      if (waited != Errc::ok) {
        pass_on();
        co_return waited;
      }
    }
    has_it_ = state_.body_busy = true;
    co_return Errc::ok;
  }

 private:
  // Woken and cancelled in one turn of the loop: the next one's.
  void pass_on() {
    if (!state_.body_busy && !state_.body_waiters.empty()) state_.body_waiters.front()->free_.set();
  }
  RequestState& state_;
  Event free_;
  bool has_it_ = false;
};

}  // namespace seawall::lua
