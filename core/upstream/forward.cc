// Which server is asked, what its failure means, and who is asked next.
#include "seawall/upstream/forward.h"

#include <algorithm>
#include <climits>

#include "seawall/net/loop.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/error_pages.h"
#include "seawall/upstream/forwarding.h"
#include "seawall/upstream/h2_request.h"

namespace seawall {
namespace {

LoopGroup& group_for(Exchange& x, const Group& group, std::unique_ptr<LoopGroup>& own) {
  if (group.number >= 0) return LoopUpstreams::of(x.loop).group(group);
  own = std::make_unique<LoopGroup>(x.loop, group);
  return *own;
}

}  // namespace

Forwarding::Forwarding(Exchange& x, const ForwardConf& conf, ForwardTo to)
    : x_(x), conf_(conf), to_(std::move(to)), protocol_(*to_.protocol), attempts_(Attempts::of(x)),
      group_(group_for(x, *to_.group, own_group_)), choice_(*group_.balancer, x), started_(x.loop.now()) {}

Forwarding::Forwarding(Exchange& x, const ForwardConf& conf, ForwardTo to, std::unique_ptr<CacheUse> cache)
    : x_(x), conf_(conf), to_(std::move(to)), protocol_(*to_.protocol), own_attempts_(std::make_unique<Attempts>()),
      attempts_(*own_attempts_), group_(group_for(x, *to_.group, own_group_)), choice_(*group_.balancer, x), started_(x.loop.now()),
      cache_(std::move(cache)) {}

Forwarding::~Forwarding() {
  end_attempt(Tried::done);
  end_wait();
  if (asked_cache_) count_cache(attempts_.cache_status);
}

Task<void> Forwarding::run(std::shared_ptr<Forwarding> self, Outcome& outcome) {
  Forwarding& f = *self;
  if (f.conf_.caches() && !f.attempts_.only) {
    const bool answered = co_await f.ask_cache(outcome);
    if (answered) co_return;
  }
  f.x_.outlives_client = *f.conf_.ignore_client_abort || f.may_keep_ || f.conf_.store->on;
  f.x_.end_handler_clock();  // the upstream's own deadlines hold
  co_await f.ask_upstream(outcome);
  const auto* response = std::get_if<Response>(&outcome);
  const bool streams = response && response->body.index() >= 3;
  if (!streams) {
    f.x_.start_handler_clock();
    f.x_.outlives_client = false;
  }
}

Task<void> Forwarding::ask_upstream(Outcome& outcome) {
  Scope& scope = co_await current_scope();
  scope_ = &scope;
  const bool has_body = x_.body.present() && *conf_.pass_request_body && !to_.own_body;
  buffers_request_ = *conf_.request_buffering || !has_body || (!x_.body.length() && !to_.takes_unknown_length);
  buffering_ = *conf_.buffering;
  if (has_body && x_.body.is_spent()) {
    x_.log(Level::error, "the request body has been passed on already and cannot be passed again");
    outcome = Response(502);
    co_return;
  }
  if (buffers_request_) {  // also a body that is not passed on: the client is not to be stopped in the middle of it
    const Result<void> stored = co_await x_.body.store(x_);
    if (!stored) co_return client_failed(stored.error(), outcome);
  }
  if (!attempts_.all.empty()) attempts_.all.emplace_back();
  attempts_.head = UpstreamHead();
  attempts_.answers = false;
  outcome = Abort{};  // of who is cancelled while it waits
  if (group_.balancer->awaits_names()) {
    const bool goes_on = co_await names_known();
    if (!goes_on) co_return;
  }
  first_attempt_ = attempts_.all.size();
  begin_choice(false);
  for (;;) {
    const bool answered = co_await attempt(outcome);
    if (answered) co_return;
    if (may_ask_next()) continue;
    const bool again = co_await wait_for_server();
    if (scope_->cancelled()) co_return;
    if (!again) co_return fail(outcome);
  }
}

void Forwarding::begin_choice(bool all) {
  if (attempts_.only) return;
  choice_.start(all);
  if (*conf_.next_upstream_tries > 0 && choice_.tries > *conf_.next_upstream_tries)
    choice_.tries = static_cast<int>(*conf_.next_upstream_tries);
}

bool Forwarding::choose() {
  peer_ = attempts_.only ? attempts_.only : to_.group->chooser ? ask_chooser() : choice_.next();
  attempt_ = attempts_.all.size();
  Attempt& attempt = attempts_.all.emplace_back();
  attempt.started = x_.loop.now();
  doing_ = "connecting to upstream";
  const std::string& name = peer_ ? peer_->peer->name : to_.group->name;
  attempt.peer = name;
  x_.upstream.clear();
  x_.upstream.append(protocol_.scheme()).append(name);
  if (peer_ && peer_->peer->address.is_unix()) x_.upstream += ':';
  x_.upstream += protocol_.uri();
  if (peer_) return true;
  if (failure_.why) return false;
  failure_.why = next_upstream::no_live;
  log(Level::error, "no live upstreams");
  return false;
}

// Null: nobody is asked, and failure_ says what the request is answered with; or the group has nobody.
PeerState* Forwarding::ask_chooser() {
  PeerChooser::Try next = choosing_;
  next.address = Address();
  next.name.clear();
  next.keeps.reset();
  next.more_tries = 0;
  const auto limit = static_cast<int>(*conf_.next_upstream_tries), so_far = static_cast<int>(attempts_.all.size() - first_attempt_);
  next.most_more = limit > 0 ? std::max(0, limit - so_far - std::max(choice_.tries, 1)) : INT_MAX / 2;
  if (const int status = to_.group->chooser->choose(x_, next)) {
    failure_.why = next_upstream::nobody_else;
    failure_.status = status;
    return nullptr;
  }
  choice_.tries += std::min(next.more_tries, next.most_more);
  choosing_ = next;
  if (!next.name.empty()) to_.tls_name = next.name;
  if (next.address.empty()) return choice_.next();
  auto peer = std::make_unique<Peer>();
  peer->address = next.address;
  peer->name = next.address.text_with_port();
  const Peer& of = *peer;
  chosen_ = std::make_unique<PeerState>(of, std::move(peer));
  return chosen_.get();
}

// One server, from the connection to the head of its answer.
Task<bool> Forwarding::attempt(Outcome& outcome) {
  failure_ = Failure();
  request_sent_ = false;
  if (!choose()) {
    count_attempt(*to_.group, nullptr, attempts_.all[attempt_], TryResult::failed, attempt_ > first_attempt_);
    co_return false;
  }
  const bool open = co_await connect();
  if (scope_->cancelled()) co_return true;
  if (!open) co_return false;
  Attempt& attempt = attempts_.all[attempt_];
  attempt.connect_time = x_.loop.now() - attempt.started;
  ++connection_->requests;
  send();
  if (client_error_) co_return end_for_client(outcome);
  Result<UpstreamHead> head = co_await read_head();
  if (scope_->cancelled()) co_return true;
  if (head) {
    attempts_.all[attempt_].header_time = x_.loop.now() - attempts_.all[attempt_].started;
    // Where somebody else goes on with the request, or the client with the connection, nothing of it may still be on its way.
    if (ends_upload(*head)) {
      const bool stopped = co_await stop_sending();
      if (!stopped) co_return true;
    }
    if (answer(std::move(*head), outcome)) co_return true;
  }
  const bool stopped = co_await stop_sending();
  if (!stopped) co_return true;
  co_return client_error_ ? end_for_client(outcome) : false;
}

// The client's body cannot be had: nobody else is asked.
bool Forwarding::end_for_client(Outcome& outcome) {
  end_attempt(Tried::done);
  client_failed(client_error_, outcome);
  return true;
}

bool Forwarding::is_idempotent() const {
  return x_.method != Method::post && x_.method != Method::lock && x_.method != Method::patch;
}

// After a failed attempt.
bool Forwarding::may_ask_next() {
  const unsigned why = failure_.why;
  if (peer_) {
    const bool answered = why == next_upstream::http_403 || why == next_upstream::http_404 || failure_.refused;
    choosing_.before = answered ? PeerChooser::Try::Before::next : PeerChooser::Try::Before::failed;
    end_attempt(answered ? Tried::next : Tried::failed);
  }
  if (why == next_upstream::timeout) log(Level::error, "upstream timed out (110: Connection timed out)");
  if (why == next_upstream::timeout || why == next_upstream::http_504) failure_.status = 504;
  // An idle connection may have been closed at any time: that says nothing about the server.
  if (reused_ && why == next_upstream::error) ++choice_.tries;
  reused_ = false;
  choosing_.status = failure_.status;
  Attempt& attempt = attempts_.all[attempt_];
  attempt.status = failure_.status;
  if (attempt.response_time < 0) attempt.response_time = x_.loop.now() - attempt.started;
  return allows(why, 1);
}

void Forwarding::fail(Outcome& outcome) {
  x_.upstream.clear();
  if (use_stale(failure_.why, false, outcome)) return;
  if (failure_.status == 502 || failure_.status == 504) remember_error(failure_.status, nullptr);
  outcome = Response(failure_.status);
}

// May another server be asked, when at least so many tries are left?
bool Forwarding::allows(unsigned why, int tries) const {
  const std::int64_t timeout = std::chrono::nanoseconds(*conf_.next_upstream_timeout).count();
  if (timeout > 0 && x_.loop.now() - started_ >= timeout) return false;
  if (failure_.refused) return choice_.tries >= tries && (*conf_.next_upstream & why) == why && !body_begun_;
  if (request_sent_ && !is_idempotent()) why |= next_upstream::non_idempotent;
  return choice_.tries >= tries && (*conf_.next_upstream & why) == why && !(request_sent_ && !buffers_request_);
}

void Forwarding::end_attempt(Tried how) {
  if (connection_ && connection_->request) {
    attempts_.all[attempt_].bytes_sent = connection_->request->sent_wire();
    attempts_.all[attempt_].bytes_received = connection_->request->received_wire();
  }
  connection_.reset();
  let_go(how);
}

TryResult Forwarding::try_result() const {
  if (attempts_.all[attempt_].status > 0) return TryResult::answered;
  if (failure_.why == next_upstream::timeout) return TryResult::timeout;
  return failure_.why ? TryResult::failed : TryResult::cancelled;
}

void Forwarding::let_go(Tried how) {
  PeerState* peer = std::exchange(peer_, nullptr);
  if (!peer) return;
  Attempt& attempt = attempts_.all[attempt_];
  if (attempt.response_time < 0) attempt.response_time = x_.loop.now() - attempt.started;
  if (attempts_.only) return;
  const bool is_named = peer != chosen_.get();  // one that a script has chosen may be anybody
  count_attempt(*to_.group, is_named ? peer : nullptr, attempt, try_result(), attempt_ > first_attempt_);
  if (peer == chosen_.get()) {
    if (choice_.tries > 0) --choice_.tries;
    return;
  }
  if (choice_.release(*peer, how, attempt.header_time, attempt.response_time)) log(Level::warn, "upstream server temporarily disabled");
}

void Forwarding::client_failed(std::error_code error, Outcome& outcome) {
  x_.upstream.clear();
  const int status = error.category() == seawall_category() ? status_of(error) : 500;
  if (status) {
    outcome = Response(status);
    return;
  }
  x_.keep_alive = false;
  x_.client_left = true;
  outcome = Abort{};
}

void Forwarding::log(Level level, const std::string& what, const char* doing) const {
  if (is_scout_) level = Level::info;  // what is tried again and again was said once
  if (x_.logs_at(level)) x_.log(level, what + " while " + (doing ? doing : doing_));
}

void Forwarding::log_failed(const char* call, std::error_code error) const {
  const bool reset = error == Errc::peer_reset;
  log(Level::error, std::string(call) + " failed " + (reset ? "(104: Connection reset by peer)" : describe(error)));
}

Task<void> forward(Exchange& x, const ForwardConf& conf, ForwardTo to, Outcome& outcome) {
  return Forwarding::run(std::allocate_shared<Forwarding>(PoolAllocator<Forwarding>(), x, conf, std::move(to)), outcome);
}

}  // namespace seawall
