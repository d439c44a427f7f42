#include "seawall/server/phase_walk.h"

#include <utility>

#include "seawall/route/choice.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/error_pages.h"
#include "seawall/server/exchange.h"
#include "seawall/server/named_captures.h"
#include "seawall/server/probe.h"
#include "seawall/server/vhost.h"

namespace seawall {
namespace {

void tell_location(const Exchange& x) {
  tell(x, [&] { return "path " + x.uri + ": " + title_and_place_of(*x.location); });
  if (x.connection.probe && x.connection.probe->trace)
    for (const std::string& line : not_chosen(x.vhost->locations, x.uri, *x.location)) tell(x, [&] { return "  " + line; });
}

// An announced body of more than client_max_body_size.
bool is_too_large(Exchange& x) {
  const std::int64_t limit = *x.core().client_max_body_size;
  if (limit <= 0 || x.body_refused || !x.body.length() || x.body.ended()) return false;
  if (*x.body.length() <= static_cast<std::uint64_t>(limit)) return false;
  x.log(Level::error, "client intended to send too large body: " + std::to_string(*x.body.length()) + " bytes");
  return x.body_refused = true;
}

// Which location serves x.uri; enters it. An answer in `outcome` when the search itself gives one (the redirect that appends a slash).
void locate(Exchange& x, Outcome& outcome) {
  const auto found = x.vhost->locations.find(x.uri, x.captures, [&](const Regex& regex, const Captures& captures) {
    keep_named_captures(x, regex, captures);
  });
  x.enter(*found.location);
  tell_location(x);
  if (found.failed) outcome = Response(500);
  else if (found.auto_redirect) outcome = redirect_to(x, 301, x.uri + "/", x.args);
  else if (*x.core().internal && !x.internal) outcome = Response(404);
  else if (is_too_large(x)) outcome = Response(413);
}

Phase behind(Phase phase) { return static_cast<Phase>(static_cast<int>(phase) + 1); }

// Methods that no handler may see: TRACE would show a script the cookies it must not read, CONNECT asks for a tunnel.
bool is_refused(Exchange& x) {
  if (x.method != Method::trace && x.method != Method::connect) return false;
  x.log(Level::info, "client sent " + std::string(x.request.method_name) + " method");
  if (x.method == Method::connect) x.keep_alive = false;  // what follows was meant for somebody else
  return true;
}

}  // namespace

void PhaseWalk::begin() {
  x_.enter(x_.vhost->locations.root());
  outcome_ = Next{};
  searches_ = 0;
  // Once a request: realip has taken the address that a proxy told, and must not take it again.
  begin(x_.internal ? Phase::server_rewrite : Phase::post_read, Phase::server_rewrite);
  if (!x_.internal && is_refused(x_)) {
    outcome_ = Response(405);
    run_.end();
  }
}

void PhaseWalk::begin_named() {
  outcome_ = Next{};
  searches_ = 1;
  begin(Phase::rewrite, Phase::content);
}

// The first of these phases that has steps, or else the last.
void PhaseWalk::begin(Phase phase, Phase last) {
  while (phase != last && x_.plan().of(phase).empty()) phase = behind(phase);
  run_.begin(phase);
}

bool PhaseWalk::advance() {
  do {
    if (!run_.advance()) return false;
  } while (go_on());
  return true;
}

// Behind a phase; false: there is an answer.
bool PhaseWalk::go_on() {
  if (auto* relocate = std::get_if<Relocate>(&outcome_)) {
    x_.uri = std::move(relocate->uri);
    outcome_ = Next{};
    return search();
  }
  if (!is_next(outcome_)) return false;
  switch (run_.phase()) {
    case Phase::post_read: begin(Phase::server_rewrite, Phase::server_rewrite); return true;
    case Phase::server_rewrite: return search();
    case Phase::content: outcome_ = Response(404); return false;
    default: begin(behind(run_.phase()), Phase::content); return true;
  }
}

bool PhaseWalk::search() {
  if (searches_++ > kMaxHops) {
    x_.log(Level::error, "rewrite or internal redirection cycle while processing \"" + x_.uri + "\"");
    outcome_ = Response(500);
    return false;
  }
  locate(x_, outcome_);
  if (!is_next(outcome_)) return false;
  begin(Phase::rewrite, Phase::content);
  return true;
}

}  // namespace seawall
