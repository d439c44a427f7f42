#include "seawall/upstream/health_check.h"

#include <algorithm>
#include <random>
#include <set>

#include "seawall/base/text.h"
#include "seawall/http/uri.h"
#include "seawall/config/placed.h"
#include "seawall/log/log.h"
#include "seawall/net/dial.h"
#include "seawall/net/loop.h"
#include "seawall/server/core_blocks.h"
#include "seawall/server/exchange.h"
#include "seawall/server/handler_run.h"
#include "seawall/server/respond.h"
#include "seawall/server/vhost.h"
#include "seawall/upstream/balancer.h"
#include "seawall/upstream/upstream_module.h"

namespace seawall {
namespace {

// ---- one look at one peer --------------------------------------------------------------------------------------------

RequestHead make_head(std::string_view request_line, std::string path) {
  const std::string_view uri = request_line.substr(4, request_line.rfind(' ') - 4);
  RequestHead head;
  head.method = Method::get;
  head.method_name = "GET";
  head.request_line = request_line;
  head.target = uri;
  head.raw_path = uri.substr(0, uri.find('?'));
  head.path = std::move(path);
  head.has_args = head.raw_path.size() < uri.size();
  if (head.has_args) head.args = uri.substr(head.raw_path.size() + 1);
  head.keep_alive = false;
  return head;
}

// As much of the body as a match looks at; one that breaks off before that is none.
Task<Result<std::string>> beginning_of(Body body) {
  std::string text;
  const std::unique_ptr<Reader> reader = reader_of(std::move(body));
  for (bool last = false; !last && text.size() < Match::kLongestBody;) {
    Result<Piece> piece = co_await reader->read();
    if (!piece) co_return piece.error();
    text += piece->data.view();
    last = piece->last;
  }
  co_return text.substr(0, Match::kLongestBody);
}

// What is wrong with the answer to a request in the check's location; empty: nothing.
Task<std::string> ask(const HealthCheck& check, const Vhost& vhost, const Peer& peer, Scope& scope) {
  const std::string request_line = "GET " + check.uri + " HTTP/1.1";
  ConnectionInfo connection;
  connection.remote = connection.peer = connection.local = *Address::parse_ip("127.0.0.1");
  auto x = std::make_unique<Exchange>(connection, make_head(request_line, check.path), vhost, &scope);
  x->enter(*check.location);
  PeerState state(peer);
  Attempts& attempts = Attempts::of(*x);
  attempts.only = &state;
  std::string fault;
  {
    Outcome outcome{Next{}};
    co_await repeat_content(*x, outcome);
    const char* const doing = attempts.head.status > 0 ? nullptr : "asking it";
    if (doing) fault = doing;
    std::string body;
    if (fault.empty() && check.match->wants_body() && attempts.answers) {
      Result<std::string> read = co_await beginning_of(std::move(std::get<Response>(outcome).body));
      if (read) body = std::move(*read);
      else fault = "reading its answer";
    }
    if (fault.empty()) fault = check.match->fault(*x, attempts.head, body);
  }
  co_await end_work(*x);
  co_return fault;
}

Task<std::string> connect(const HealthCheck& check, const Peer& peer) {
  Result<Fd> fd = start_connecting(peer.address, DialOptions());
  if (!fd) co_return "connecting to it " + describe(fd.error());
  Stream stream(std::move(*fd));
  const Result<void> done = co_await connected(stream, Deadline::in(std::max(check.interval, Milliseconds(1000)), Wait::connect));
  if (done) co_return std::string();
  co_return "connecting to it " + describe(done.error());
}

Peer at_port(const Peer& peer, std::uint16_t port) {
  Peer other = peer;
  if (port == 0 || peer.address.is_unix()) return other;
  other.address = peer.address.with_port(port);
  other.name = other.address.text_with_port();
  return other;
}

// ---- a group's peers, as they come and go ----------------------------------------------------------------------------

class Checker : public std::enable_shared_from_this<Checker> {
 public:
  Checker(Loop& loop, const HealthCheck& check, const Vhost& vhost) : loop_(loop), check_(check), vhost_(vhost) {}

  Task<void> run(std::shared_ptr<Checker> self) {
    Balancer& balancer = *check_.group->common;
    PeerWatch changes(balancer, loop_);
    for (;;) {
      for (Peer& peer : balancer.peers()) {
        if (!watched_.insert(key_of(peer)).second) continue;
        loop_.scope().spawn(watch(self, std::move(peer)));
      }
      const Errc waited = co_await changes.wait(Deadline::never(Wait::drain));
      if (waited != Errc::ok) co_return;
      changes.reset();
    }
  }

 private:
  static std::string key_of(const Peer& peer) { return peer.address.text_with_port() + " " + peer.label; }

  Task<void> watch(std::shared_ptr<Checker> self, Peer peer) {
    const Peer asked = at_port(peer, check_.port);
    int passed = 0, failed = 0;
    for (bool there = true; there && !loop_.stopping();) {
      std::string fault;
      if (check_.tcp) fault = co_await connect(check_, asked);
      else fault = co_await ask(check_, vhost_, asked, loop_.scope());
      if (loop_.scope().cancelled()) co_return;
      failed = fault.empty() ? 0 : failed + 1;
      passed = fault.empty() ? passed + 1 : 0;
      if (failed >= check_.fails) there = tell(peer, asked, true, fault);
      else if (passed >= check_.passes) there = tell(peer, asked, false, fault);
      const Errc slept = co_await sleep_until(Deadline::in(pause(), Wait::drain));
      if (slept == Errc::cancelled) co_return;
    }
    self->watched_.erase(key_of(peer));
  }

  // False: the group has this peer no more.
  bool tell(const Peer& peer, const Peer& asked, bool failing, const std::string& fault) {
    const Balancer::Told told = check_.group->common->set_failing(peer, check_.number, failing, loop_.now());
    if (told == Balancer::Told::changed)
      log(failing ? Level::warn : Level::notice,
          (failing ? "peer is unhealthy while " + fault : std::string("peer is healthy")) + ", health check \"" + check_.match_name + "\" of peer " +
              asked.name + " in upstream \"" + check_.group->name + "\"");
    return told != Balancer::Told::gone;
  }

  Milliseconds pause() {
    if (check_.jitter.count() == 0) return check_.interval;
    return check_.interval + Milliseconds(std::uniform_int_distribution<std::int64_t>(0, check_.jitter.count())(numbers_));
  }

  Loop& loop_;
  const HealthCheck& check_;
  const Vhost& vhost_;
  std::set<std::string> watched_;
  std::minstd_rand numbers_{std::random_device{}()};
};

std::optional<std::string> value_of(const std::string& word, std::string_view name) {
  if (!word.starts_with(name)) return std::nullopt;
  return word.substr(name.size());
}

Milliseconds time_in(const std::string& text, const std::string& word) {
  const auto time = time_of(text);
  if (!time) throw ConfigError("invalid parameter \"" + word + "\"");
  return *time;
}

int count_in(const std::string& text, const std::string& word, std::uint64_t most) {
  const auto count = parse_decimal(text);
  if (!count || *count == 0 || *count > most) throw ConfigError("invalid parameter \"" + word + "\"");
  return static_cast<int>(*count);
}

const Location& root_of(const Location& location) { return location.parent ? root_of(*location.parent) : location; }

}  // namespace

HealthCheck::HealthCheck(const Invocation& in) : settings(&in.settings), location(location_of(in)), place(in.node.place) {
  for (const std::string& word : in.args()) read_word(word);
  const Result<std::string> decoded = normalize_path(uri.substr(0, uri.find('?')), true);
  if (!uri.starts_with('/') || !decoded || uri.find_first_of(" \t\r\n") != std::string::npos) throw ConfigError("invalid parameter \"uri=" + uri + "\"");
  path = *decoded;
  if (interval.count() == 0) throw ConfigError("invalid parameter \"interval=0\"");
}

void HealthCheck::read_word(const std::string& word) {
  if (const auto text = value_of(word, "interval=")) interval = time_in(*text, word);
  else if (const auto text = value_of(word, "jitter=")) jitter = time_in(*text, word);
  else if (const auto text = value_of(word, "fails=")) fails = count_in(*text, word, 1'000'000);
  else if (const auto text = value_of(word, "passes=")) passes = count_in(*text, word, 1'000'000);
  else if (const auto text = value_of(word, "port=")) port = static_cast<std::uint16_t>(count_in(*text, word, 65535));
  else if (const auto text = value_of(word, "uri=")) uri = *text;
  else if (const auto text = value_of(word, "match=")) match_name = *text;
  else if (word == "mandatory") mandatory = true;
  else if (word == "type=tcp") tcp = true;
  else if (word == "persistent" || word.starts_with("type=grpc") || word.starts_with("grpc_") || word.starts_with("keepalive_time="))
    throw ConfigError("parameter \"" + word + "\" of \"health_check\" is not supported yet");
  else if (word != "type=http") throw ConfigError("invalid parameter \"" + word + "\"");
}

void HealthChecks::link(UpstreamConf& conf) {
  for (HealthCheck& check : conf.checks) {
    placed(check.place, [&] {
      const auto group = conf.referred.find(check.settings);
      if (group == conf.referred.end()) throw ConfigError("\"health_check\" directive needs servers that its location passes requests to");
      check.group = group->second;
      check.group->shared = true;
      check.number = check.group->health_checks++;
      if (check.number >= HealthCheck::kMost) throw ConfigError("too many health checks of upstream \"" + check.group->name + "\"");
      if (check.mandatory) check.group->must_pass |= 1u << check.number;
      const auto match = conf.matches.find(check.match_name);
      if (!check.match_name.empty() && match == conf.matches.end()) throw ConfigError("match \"" + check.match_name + "\" not found");
      check.match = check.match_name.empty() ? std::make_shared<const Match>() : match->second;
    });
  }
}

void HealthChecks::start(Loop& loop, const UpstreamConf& conf, const std::deque<Vhost>& vhosts) {
  for (const HealthCheck& check : conf.checks) {
    const Location& root = root_of(*check.location);
    const auto vhost = std::find_if(vhosts.begin(), vhosts.end(), [&](const Vhost& one) { return &one.locations.root() == &root; });
    if (vhost == vhosts.end()) continue;  // of a server that nobody can reach
    const auto checker = std::make_shared<Checker>(loop, check, *vhost);
    loop.scope().spawn(checker->run(checker));
  }
}

}  // namespace seawall
