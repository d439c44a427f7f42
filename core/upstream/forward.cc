// Which server is asked, what its failure means, and who is asked next.
#include "seawall/upstream/forward.h"

#include <cerrno>

#include "seawall/net/loop.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/error_pages.h"
#include "seawall/tls/error.h"
#include "seawall/upstream/forwarding.h"
#include "seawall/upstream/h2_client.h"
#include "seawall/upstream/h2_request.h"

namespace seawall {
namespace {

constexpr Milliseconds kScoutPause(100);
constexpr std::size_t kMostSessions = 256;  // of a group, for each loop

LoopGroup& group_for(Exchange& x, const Group& group, std::unique_ptr<LoopGroup>& own) {
  if (group.number >= 0) return LoopUpstreams::of(x.loop).group(group);
  own = std::make_unique<LoopGroup>(x.loop, group);
  return *own;
}

// nginx's levels: a refusal is everyday, a socket file that is not there is not.
Level level_of(const std::error_code& error) {
  switch (error.value()) {
    case ECONNREFUSED: case ECONNRESET: case ENETDOWN: case ENETUNREACH: case EHOSTDOWN: case EHOSTUNREACH: case ETIMEDOUT: case EPIPE:
      return Level::error;
    default: return Level::crit;
  }
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
}

Task<Outcome> Forwarding::run() {
  if (conf_.caches() && !attempts_.only) {
    std::optional<Outcome> answer = co_await ask_cache();
    if (answer) co_return std::move(*answer);
  }
  x_.outlives_client = *conf_.ignore_client_abort || may_keep_ || conf_.store->on;
  x_.end_handler_clock();  // the upstream's own deadlines hold
  Outcome outcome = co_await ask_upstream();
  auto* response = std::get_if<Response>(&outcome);
  const bool streams = response && response->body.index() >= 3;
  if (!streams) {
    x_.start_handler_clock();
    x_.outlives_client = false;
  }
  co_return outcome;
}

Task<Outcome> Forwarding::ask_upstream() {
  Scope& scope = co_await current_scope();
  scope_ = &scope;
  const bool has_body = x_.body.present() && *conf_.pass_request_body && !to_.own_body;
  buffers_request_ = *conf_.request_buffering || !has_body || (!x_.body.length() && !to_.takes_unknown_length);
  buffering_ = *conf_.buffering;
  if (has_body && x_.body.is_spent()) {
    x_.log(Level::error, "the request body has been passed on already and cannot be passed again");
    co_return Response(502);
  }
  if (buffers_request_) {  // also a body that is not passed on: the client is not to be stopped in the middle of it
    const Result<void> stored = co_await x_.body.store(x_);
    if (!stored) co_return client_failed(stored.error());
  }
  if (!attempts_.all.empty()) attempts_.all.emplace_back();
  attempts_.head = UpstreamHead();
  attempts_.answers = false;
  if (group_.balancer->awaits_names()) {
    const bool goes_on = co_await names_known();
    if (!goes_on) co_return Abort{};
  }
  first_attempt_ = attempts_.all.size();
  begin_choice(false);
  for (;;) {
    std::optional<Outcome> outcome = co_await attempt();
    if (outcome) co_return std::move(*outcome);
    if (may_ask_next()) continue;
    const bool again = co_await wait_for_server();
    if (scope_->cancelled()) co_return Abort{};
    if (!again) co_return failed();
  }
}

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

void Forwarding::begin_choice(bool all) {
  if (attempts_.only) return;
  choice_.start(all);
  if (*conf_.next_upstream_tries > 0 && choice_.tries > *conf_.next_upstream_tries)
    choice_.tries = static_cast<int>(*conf_.next_upstream_tries);
}

bool Forwarding::choose() {
  peer_ = attempts_.only ? attempts_.only : choice_.next();
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
  log(Level::error, "no live upstreams");
  return false;
}

DialOptions Forwarding::dial_options() const {
  DialOptions options;
  options.keepalive = *conf_.socket_keepalive;
  options.receive_buffer = static_cast<int>(*conf_.socket_receive_buffer);
  options.send_buffer = static_cast<int>(*conf_.socket_send_buffer);
  if (conf_.bind->off) return options;
  const std::string text = conf_.bind->address.eval(x_);
  options.transparent = conf_.bind->transparent;
  if (const auto from = Address::parse(text)) options.from = *from;
  else if (!text.empty()) x_.log(Level::error, "invalid local address \"" + text + "\"");
  return options;
}

// What tells connections to the same server from one another, besides who may use them. Those of HTTP/2 may be shared by requests
// that go out from different addresses.
std::string Forwarding::identity() const {
  std::string text;
  if (to_.tls) text = to_.tls->identity(x_, to_.tls_name);
  if (to_.http2 && !conf_.bind->off && !conf_.bind->address.is_literal()) text.append("\n").append(conf_.bind->address.eval(x_));
  return text;
}

bool Forwarding::take_open(const H2Key& key) {
  if (!to_.http2) {
    connection_ = group_.pool.take(key.address, key.tag, key.identity);
  } else if (auto shared = group_.h2.find(key)) {
    connection_ = std::make_unique<UpstreamConnection>();
    share(std::move(shared));
  }
  return connection_ != nullptr;
}

void Forwarding::share(std::shared_ptr<H2Upstream> connection) {
  connection_->request = std::make_unique<H2Request>(std::move(connection));
  to_.http2->use(*connection_->request);
}

// An open connection or a new one; false: failed, and said so. Requests that come while one to share is being opened wait for it,
// once.
Task<bool> Forwarding::connect() {
  const bool of_location = to_.group->keepalive_local || to_.tls || (to_.http2 && to_.group->keepalive <= 0);
  const H2Key key{peer_->peer->address, of_location ? &conf_ : nullptr, identity()};
  reused_ = !attempts_.only && take_open(key);
  if (reused_) co_return true;
  if (!to_.http2) co_return co_await open_new(key);
  if (!attempts_.only && group_.h2.is_opening(key)) {
    const Errc waited = co_await group_.h2.opened(key, Deadline::in(*conf_.connect_timeout, Wait::connect));
    if (waited == Errc::cancelled) co_return false;
    reused_ = take_open(key);
    if (reused_) co_return true;
  }
  const H2Pool::Opening opening(group_.h2, key);
  const bool open = co_await open_new(key);
  if (open) share(group_.h2.open(std::move(connection_->stream), key));
  co_return open;
}

Task<bool> Forwarding::open_new(const H2Key& key) {
  Result<Fd> fd = start_connecting(key.address, dial_options());
  if (!fd) {
    log(level_of(fd.error()), "connect() to " + peer_->peer->name + " failed " + describe(fd.error()));
    failure_.why = next_upstream::error;
    failure_.unreachable = true;
    co_return false;
  }
  connection_ = std::make_unique<UpstreamConnection>();
  connection_->address = key.address;
  connection_->tag = key.tag;
  connection_->identity = key.identity;
  connection_->started = x_.loop.now();
  const bool opened = open_stream(std::move(*fd));
  if (!opened) co_return false;
  const Result<void> done = co_await connected(*connection_->stream, Deadline::in(*conf_.connect_timeout, Wait::connect));
  if (done && tls_) co_return co_await shake_hands();
  if (done) co_return true;
  failure_.unreachable = true;
  failure_.why = done.error() == Errc::timed_out ? next_upstream::timeout : next_upstream::error;
  if (done.error() != Errc::timed_out && done.error() != Errc::cancelled)
    log(Level::error, "connect() failed " + describe(done.error()));
  co_return false;
}

// False: our certificate cannot be loaded.
bool Forwarding::open_stream(Fd fd) {
  tls_ = nullptr;
  if (!to_.tls) {
    connection_->stream = std::make_unique<Stream>(std::move(fd));
    return true;
  }
  try {
    auto tls = to_.tls->make_stream(std::move(fd), x_, to_.tls_name, tls_name_);
    tls_ = tls.get();
    connection_->stream = std::move(tls);
  } catch (const TlsError& error) {
    log(Level::error, error.what());
    connection_.reset();
    failure_.why = next_upstream::off;
    failure_.status = 500;
    return false;
  }
  if (*to_.tls->tls_session_reuse) use_sessions(*tls_);
  return true;
}

// Sessions of a peer are its own, and of the settings and the name they were made with.
void Forwarding::use_sessions(TlsClientStream& tls) {
  const std::string key = std::to_string(reinterpret_cast<std::uintptr_t>(to_.tls)) + " " + peer_->peer->name + " " + connection_->identity;
  if (const auto known = group_.sessions.find(key); known != group_.sessions.end()) tls.resume(known->second.get());
  if (own_group_) return;  // it ends with the request
  // Names may come from clients: there is no end of them.
  tls.on_session = [&sessions = group_.sessions, key](SessionPtr session) {
    if (sessions.size() >= kMostSessions && !sessions.contains(key)) sessions.erase(sessions.begin());
    sessions[key] = std::move(session);
  };
}

Task<bool> Forwarding::shake_hands() {
  doing_ = "SSL handshaking to upstream";
  const Result<void> done = co_await tls_->handshake(Deadline::in(*conf_.connect_timeout, Wait::connect));
  if (!done) {
    failure_.why = done.error() == Errc::timed_out ? next_upstream::timeout : next_upstream::error;
    if (done.error() == Errc::tls_failed) log(Level::error, "SSL_do_handshake() failed " + tls_->error_text());
    else failure_.unreachable = true;
    if (done.error() == Errc::peer_closed) log(Level::error, "peer closed connection in SSL handshake");
    else if (failure_.unreachable && done.error() != Errc::timed_out && done.error() != Errc::cancelled) log_failed("SSL_do_handshake()", done.error());
    co_return false;
  }
  if (!*to_.tls->tls_verify) co_return true;
  const std::string wrong = tls_->verify(tls_name_);
  if (wrong.empty()) co_return true;
  log(Level::error, wrong);
  failure_.why = next_upstream::error;
  co_return false;
}

// One server, from the connection to the head of its answer.
Task<std::optional<Outcome>> Forwarding::attempt() {
  failure_ = Failure();
  request_sent_ = false;
  if (!choose()) {
    failure_.why = next_upstream::no_live;
    co_return std::nullopt;
  }
  const bool open = co_await connect();
  if (scope_->cancelled()) co_return Outcome(Abort{});
  if (!open) co_return std::nullopt;
  Attempt& attempt = attempts_.all[attempt_];
  attempt.connect_time = x_.loop.now() - attempt.started;
  ++connection_->requests;
  send();
  Result<UpstreamHead> head = co_await read_head();
  if (scope_->cancelled()) co_return Outcome(Abort{});
  if (head) {
    attempts_.all[attempt_].header_time = x_.loop.now() - attempts_.all[attempt_].started;
    // Where somebody else goes on with the request, or the client with the connection, nothing of it may still be on its way.
    if (ends_upload(*head)) {
      const bool stopped = co_await stop_sending();
      if (!stopped) co_return Outcome(Abort{});
    }
    std::optional<Outcome> outcome = answer(std::move(*head));
    if (outcome) co_return outcome;
  }
  const bool stopped = co_await stop_sending();
  if (!stopped) co_return Outcome(Abort{});
  if (client_error_) {
    end_attempt(Tried::done);
    co_return client_failed(client_error_);
  }
  co_return std::nullopt;
}

bool Forwarding::is_idempotent() const {
  return x_.method != Method::post && x_.method != Method::lock && x_.method != Method::patch;
}

// After a failed attempt.
bool Forwarding::may_ask_next() {
  const unsigned why = failure_.why;
  if (peer_) {
    const bool answered = why == next_upstream::http_403 || why == next_upstream::http_404 || failure_.refused;
    end_attempt(answered ? Tried::next : Tried::failed);
  }
  if (why == next_upstream::timeout) log(Level::error, "upstream timed out (110: Connection timed out)");
  if (why == next_upstream::timeout || why == next_upstream::http_504) failure_.status = 504;
  // An idle connection may have been closed at any time: that says nothing about the server.
  if (reused_ && why == next_upstream::error) ++choice_.tries;
  reused_ = false;
  Attempt& attempt = attempts_.all[attempt_];
  attempt.status = failure_.status;
  if (attempt.response_time < 0) attempt.response_time = x_.loop.now() - attempt.started;
  return allows(why, 1);
}

Outcome Forwarding::failed() {
  x_.upstream.clear();
  if (auto stale = use_stale(failure_.why, false)) return std::move(*stale);
  if (failure_.status == 502 || failure_.status == 504) remember_error(failure_.status, nullptr);
  return Response(failure_.status);
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

void Forwarding::let_go(Tried how) {
  PeerState* peer = std::exchange(peer_, nullptr);
  if (!peer) return;
  Attempt& attempt = attempts_.all[attempt_];
  if (attempt.response_time < 0) attempt.response_time = x_.loop.now() - attempt.started;
  if (attempts_.only) return;
  if (choice_.release(*peer, how, attempt.header_time, attempt.response_time)) log(Level::warn, "upstream server temporarily disabled");
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

Outcome Forwarding::client_failed(std::error_code error) {
  x_.upstream.clear();
  const int status = error.category() == seawall_category() ? status_of(error) : 500;
  if (status) return Response(status);
  x_.keep_alive = false;
  x_.client_left = true;
  return Abort{};
}

void Forwarding::log(Level level, const std::string& what, const char* doing) const {
  if (is_scout_) level = Level::info;  // what is tried again and again was said once
  if (x_.logs_at(level)) x_.log(level, what + " while " + (doing ? doing : doing_));
}

void Forwarding::log_failed(const char* call, std::error_code error) const {
  const bool reset = error == Errc::peer_reset;
  log(Level::error, std::string(call) + " failed " + (reset ? "(104: Connection reset by peer)" : describe(error)));
}

Task<Outcome> forward(Exchange& x, const ForwardConf& conf, ForwardTo to) {
  auto forwarding = std::make_shared<Forwarding>(x, conf, std::move(to));
  co_return co_await forwarding->run();
}

}  // namespace seawall
