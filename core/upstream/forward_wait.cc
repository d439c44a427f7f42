// Waiting until there is somebody to ask: for the names of a group, and for a server that can be reached (*_wait).
#include "seawall/net/loop.h"
#include "seawall/upstream/forwarding.h"

namespace seawall {
namespace {

constexpr Milliseconds kScoutPause(100);

}  // namespace

// Of a group whose names nobody has answered for yet: until there is a peer, or nobody is left to wait for.
Task<bool> Forwarding::names_known() {
  Balancer& balancer = *group_.balancer;
  PeerWatch watch(balancer, x_.loop);
  const Deadline until = Deadline::in(to_.group->resolver_timeout, Wait::connect);
  Errc waited = Errc::ok;
  while (waited == Errc::ok && balancer.awaits_names()) {
    waited = co_await watch.wait(until);
    watch.reset();
  }
  co_return waited != Errc::cancelled;
}

// No server can be reached; the request may be sent again.
bool Forwarding::may_wait() const {
  if (conf_.wait->time.count() <= 0 || attempts_.only || !(failure_.why == next_upstream::no_live || failure_.unreachable)) return false;
  if (has_stale_ && (*conf_.cache_use_stale & failure_.why)) return false;
  const bool once = !is_idempotent() && !(*conf_.next_upstream & next_upstream::non_idempotent);
  return !request_sent_ || (buffers_request_ && !once);
}

// One of those that wait on this loop tries the servers, ten times a second; when it is answered, the others follow.
Task<bool> Forwarding::wait_for_server() {
  if (!may_wait()) co_return false;
  if (!waiting_) {
    waiting_ = WaitingPlace::take(*to_.group, conf_.wait->queue);
    if (!waiting_) {
      log(Level::error, "too many requests wait for a server");
      co_return false;
    }
    log(Level::warn, "no server can be reached, the request waits");
    waits_until_ = x_.loop.now() + std::chrono::nanoseconds(conf_.wait->time).count();
  }
  const Deadline until = Deadline::at(waits_until_, Wait::connect).earlier(x_.last_deadline(Wait::connect));
  if (until.passed()) co_return false;
  if (!is_scout_ && !group_.has_scout) is_scout_ = group_.has_scout = true;
  Errc waited;
  if (is_scout_) {
    waited = co_await sleep_until(Deadline::in(kScoutPause, Wait::connect).earlier(until));
  } else {
    PeerWatch watch(*group_.balancer, x_.loop);
    waited = co_await watch.wait(until);
  }
  if (waited == Errc::cancelled) co_return false;
  attempts_.all.resize(first_attempt_);
  started_ = x_.loop.now();
  begin_choice(true);
  co_return true;
}

// Answered, or gone: the others try, or one of them becomes the scout.
void Forwarding::end_wait() {
  waiting_.reset();
  if (!std::exchange(is_scout_, false)) return;
  group_.has_scout = false;
  group_.balancer->tell_watchers();
}

}  // namespace seawall
