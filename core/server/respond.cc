#include "seawall/server/respond.h"

#include <exception>

#include "seawall/async/event.h"
#include "seawall/async/try_first.h"
#include "seawall/http/date.h"
#include "seawall/route/choice.h"
#include "seawall/route/plan.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/current_exchange.h"
#include "seawall/server/error_pages.h"
#include "seawall/server/exchange.h"
#include "seawall/server/named_captures.h"
#include "seawall/server/probe.h"
#include "seawall/server/vhost.h"

namespace seawall {
namespace {

// nginx's bound on rewrites and internal redirects of one request.
constexpr int kMaxHops = 10;

bool is_next(const Outcome& outcome) { return std::holds_alternative<Next>(outcome); }

// In words, for who wants to know.
std::string described(const Outcome& outcome) {
  if (auto* response = std::get_if<Response>(&outcome)) return "answers " + std::to_string(response->status);
  if (auto* relocate = std::get_if<Relocate>(&outcome)) return "searches a location for " + relocate->uri;
  if (auto* internal = std::get_if<Internal>(&outcome)) return "goes on at " + internal->to;
  if (std::holds_alternative<Granted>(outcome)) return "allows";
  return std::holds_alternative<Abort>(outcome) ? "closes the connection" : "has no objection";
}

// A handler that would ask somebody else is not run for who only wants to know.
bool stays_home(const Exchange& x, Phase phase, const Plan::BoundStep& step) {
  if (phase != Phase::content || !x.connection.probe || !x.connection.probe->trace) return false;
  tell(x, [&] { return std::string("content: ") + step.module + " would answer; it is not asked"; });
  return true;
}

// One phase: its steps in order until one answers, into `outcome`. Steps that never wait, and phases without any, need no
// coroutine.
class PhaseRun {
 public:
  PhaseRun(Exchange& x, Phase phase, Outcome& outcome)
      : x_(x), phase_(phase), plan_(&x.plan()), steps_(plan_->of(phase)), outcome_(outcome) {
    set_current_exchange(x);
  }

  bool now() {
    for (; !steps_.empty(); next()) {
      const Plan::BoundStep& step = steps_.front();
      if (!step.now) return false;
      outcome_ = step.now(x_, step.conf);
      if (answered()) break;
    }
    return true;
  }
  Task<void> later() {
    do {
      const Plan::BoundStep& step = steps_.front();
      if (stays_home(x_, phase_, step)) outcome_ = Abort{};
      else outcome_ = co_await step.later(x_, step.conf);
      if (answered()) co_return;
      next();
    } while (!now());
  }

 private:
  bool answered() {
    if (x_.aborted) outcome_ = Abort{};
    if (is_next(outcome_)) return false;
    tell(x_, [&] { return std::string(name_of(phase_)) + ": " + steps_.front().module + " " + described(outcome_); });
    return true;
  }
  // A step that has entered an `if` is followed by what comes after it there.
  void next() {
    const std::size_t done = steps_.front().order;
    if (plan_ == &x_.plan()) {
      steps_ = steps_.subspan(1);
      return;
    }
    plan_ = &x_.plan();
    steps_ = plan_->of(phase_);
    while (!steps_.empty() && steps_.front().order <= done) steps_ = steps_.subspan(1);
  }

  Exchange& x_;
  const Phase phase_;
  const Plan* plan_;
  std::span<const Plan::BoundStep> steps_;
  Outcome& outcome_;
};

// `outcome` is a Next before.
TryFirst<PhaseRun> run_phase(Exchange& x, Phase phase, Outcome& outcome) {
  return TryFirst<PhaseRun>(std::in_place, x, phase, outcome);
}

bool denies(const Outcome& outcome) {
  auto* response = std::get_if<Response>(&outcome);
  return response && (response->status == 401 || response->status == 403);
}

// Against guessing: who was refused for want of a password hears it auth_delay later, which is no time of the handler's.
Task<void> delay_refusal(Exchange& x) {
  const Milliseconds delay = *x.core().auth_delay;
  if (delay.count() <= 0) co_return;
  x.log(Level::info, "delaying unauthorized request");
  x.pause_handler_clock();
  co_await sleep_until(Deadline::in(delay, Wait::handler).earlier(x.last_deadline(Wait::handler)));
  x.resume_handler_clock();
}

// Of several denials: a 401 rather than a 403, with every way to come in that one of them has named.
void keep_denial(Outcome& kept, Response& next) {
  auto* before = std::get_if<Response>(&kept);
  if (before && before->status == 401) {
    for (const Field& field : next.headers.all())
      if (field.id == FieldId::www_authenticate) before->headers.add(field.name, field.value);
  } else if (!before || next.status == 401) {
    kept = std::move(next);
  }
}

// What all access steps say together. satisfy all: the first answer counts. satisfy any: one grant is enough, and a 401 is
// preferred to a 403 when nobody grants.
Task<Outcome> ask_access(Exchange& x) {
  const bool any = *x.core().satisfy == Satisfy::any;
  Outcome denial{Next{}};
  for (const Plan::BoundStep& step : x.plan().of(Phase::access)) {
    Outcome outcome{Next{}};
    if (step.now) outcome = step.now(x, step.conf);
    else outcome = co_await step.later(x, step.conf);
    tell(x, [&] { return std::string("access: ") + step.module + " " + described(outcome); });
    if (x.aborted) co_return Abort{};
    if (is_next(outcome)) continue;
    if (std::holds_alternative<Granted>(outcome)) {
      if (any) co_return Next{};
      continue;
    }
    if (!any || !denies(outcome)) co_return outcome;
    keep_denial(denial, std::get<Response>(outcome));
  }
  if (denies(denial) && std::get<Response>(denial).status == 403)
    x.log(Level::error, "access forbidden by rule");
  co_return denial;
}

void tell_location(const Exchange& x) {
  tell(x, [&] { return "path " + x.uri + ": " + title_and_place_of(*x.location); });
  if (x.connection.probe && x.connection.probe->trace)
    for (const std::string& line : not_chosen(x.vhost->locations, x.uri, *x.location)) tell(x, [&] { return "  " + line; });
}

// The access phase has a rule of its own, and does not concern subrequests: their request was let in.
bool has_access_phase(const Exchange& x) { return !x.parent && !x.plan().of(Phase::access).empty(); }
Task<void> run_access(Exchange& x, Outcome& outcome) {
  outcome = co_await ask_access(x);
  const auto* refusal = std::get_if<Response>(&outcome);
  if (refusal && refusal->status == 401) co_await delay_refusal(x);
}

// Which location serves x.uri; enters it. An answer when the search itself gives one (the redirect that appends a slash).
Outcome locate(Exchange& x) {
  const auto found = x.vhost->locations.find(x.uri, x.captures, [&](const Regex& regex, const Captures& captures) {
    keep_named_captures(x, regex, captures);
  });
  x.enter(*found.location);
  tell_location(x);
  if (found.failed) return Response(500);
  if (found.auto_redirect) return redirect_to(x, 301, x.uri + "/", x.args);
  if (*x.core().internal && !x.internal) return Response(404);
  const std::int64_t limit = *x.core().client_max_body_size;
  if (limit > 0 && !x.body_refused && x.body.length() && !x.body.ended() && *x.body.length() > static_cast<std::uint64_t>(limit)) {
    x.log(Level::error, "client intended to send too large body: " + std::to_string(*x.body.length()) + " bytes");
    x.body_refused = true;
    return Response(413);
  }
  return Next{};
}

// From location search to content, once. `named`: the location is entered already (a named one).
Task<void> serve_location(Exchange& x, bool named, Outcome& outcome) {
  for (int hops = 0; hops <= kMaxHops; ++hops) {
    outcome = Next{};
    if (!named) outcome = locate(x);
    named = false;
    if (is_next(outcome)) co_await run_phase(x, Phase::rewrite, outcome);
    if (auto* relocate = std::get_if<Relocate>(&outcome)) {
      x.uri = std::move(relocate->uri);
      continue;
    }
    if (is_next(outcome)) co_await run_phase(x, Phase::preaccess, outcome);
    if (is_next(outcome) && has_access_phase(x)) co_await run_access(x, outcome);
    if (is_next(outcome)) co_await run_phase(x, Phase::precontent, outcome);
    if (is_next(outcome)) co_await run_phase(x, Phase::content, outcome);
    if (is_next(outcome)) outcome = Response(404);
    co_return;
  }
  x.log(Level::error, "rewrite or internal redirection cycle while processing \"" + x.uri + "\"");
  outcome = Response(500);
}

// Methods that no handler may see: TRACE would show a script the cookies it must not read, CONNECT asks for a tunnel.
bool is_refused(Exchange& x) {
  if (x.method != Method::trace && x.method != Method::connect) return false;
  x.log(Level::info, "client sent " + std::string(x.request.method_name) + " method");
  if (x.method == Method::connect) x.keep_alive = false;  // what follows was meant for somebody else
  return true;
}

// From the server's own phases on, as a request that has just come.
Task<void> serve(Exchange& x, Outcome& outcome) {
  x.enter(x.vhost->locations.root());
  outcome = Next{};
  if (!x.internal && is_refused(x)) outcome = Response(405);
  // Once a request: realip has taken the address that a proxy told, and must not take it again.
  if (!x.internal && is_next(outcome)) co_await run_phase(x, Phase::post_read, outcome);
  if (is_next(outcome)) co_await run_phase(x, Phase::server_rewrite, outcome);
  if (auto* relocate = std::get_if<Relocate>(&outcome)) {
    x.uri = std::move(relocate->uri);
    outcome = Next{};
  }
  if (is_next(outcome)) co_await serve_location(x, false, outcome);
}

// Goes where an Internal points. An answer when that is nowhere.
Task<void> follow(Exchange& x, Internal internal, Outcome& outcome) {
  tell(x, [&] { return "internal redirect to " + internal.to + (internal.args.empty() ? "" : "?" + internal.args); });
  x.internal = true;
  if (!internal.keep_method && x.method != Method::head) x.method = Method::get;
  if (!internal.to.starts_with('@')) {
    x.uri = std::move(internal.to);
    x.args = std::move(internal.args);
    co_return co_await serve(x, outcome);
  }
  const Location* named = x.vhost->locations.named(internal.to);
  if (!named) {
    x.log(Level::error, "could not find named location \"" + internal.to + "\"");
    outcome = Response(500);
    co_return;
  }
  x.enter(*named);
  tell(x, [&] { return title_and_place_of(*named); });
  co_await serve_location(x, true, outcome);
}

// A response whose body is the default page of its status, not something a handler has made.
bool is_bare(const Response& response) {
  return response.status >= 300 && std::holds_alternative<std::monostate>(response.body);
}

void tell_filters(const Exchange& x) {
  tell(x, [&] {
    std::string text = "filters:";
    for (const Plan::BoundFilter& filter : x.plan().filters) text += std::string(" ") + filter.module;
    return text;
  });
  if (x.connection.probe && x.connection.probe->trace) x.connection.probe->trace->location = x.location;
}

// What a subrequest's response goes through: that which makes its bytes what they mean. The rest is about the response that
// the client gets. As in nginx.
bool concerns_subrequests(FilterStage stage) {
  switch (stage) {
    case FilterStage::script: case FilterStage::gunzip: case FilterStage::substitute: case FilterStage::charset:
    case FilterStage::ssi: return true;
    default: return false;
  }
}

// Runs the filters over the head that will be sent, those from `next` on, until one refuses it.
Result<void> filter(Exchange& x, Response& response, std::size_t& next) {
  set_current_exchange(x);
  x.response = &response;  // what $sent_http_* and $status mean in values of filters
  Result<void> done;
  const auto& filters = x.plan().filters;
  if (next == 0 && !x.parent) tell_filters(x);
  while (done && next < filters.size() && !response.refused) {
    const Plan::BoundFilter& filter = filters[next++];
    if (x.parent && !concerns_subrequests(filter.stage)) continue;
    done = filter.run(x, response, filter.conf);
  }
  x.response = nullptr;
  return done;
}

// What an upstream has said about the file that it leaves to us.
void add_kept_fields(Exchange& x, Response& response) {
  for (const Field& field : x.kept_fields.all()) {
    if (field.id == FieldId::set_cookie || field.id == FieldId::www_authenticate) response.headers.add(field.name, field.value);
    else response.headers.set(field.name, field.value);
  }
  x.kept_fields.clear();
}

// The head as it will be sent; where to go instead when a filter refuses it (412, 416) and has a page for that.
std::optional<Outcome> finish(Exchange& x, Response& response, bool may_have_page) {
  if (is_bare(response)) add_default_page(x, response);
  else if (!x.kept_fields.empty()) add_kept_fields(x, response);
  std::size_t next = 0;
  Result<void> done = filter(x, response, next);
  while (done && std::exchange(response.refused, false)) {
    if (may_have_page)
      if (auto page = error_page_for(x, response)) return page;
    add_default_page(x, response);
    done = filter(x, response, next);
  }
  if (!done) {
    x.log(Level::error, "a filter failed: " + describe(done.error()));
    response = Response(500);
    add_default_page(x, response);
  }
  if (response.last_modified && !response.headers.has(FieldId::last_modified))
    response.headers.add("Last-Modified", http_date(*response.last_modified));
  return std::nullopt;
}

// After these nobody trusts what the connection brings next.
bool ends_connection(int status) {
  switch (status) {
    case 400: case 408: case 413: case 414: case 494: case 495: case 496: case 497: case 500: case 501: case 505: return true;
    default: return false;
  }
}

// The page of a 401 still says how to come in, that of a redirect where to, as in nginx.
class KeptFields {
 public:
  void keep(const Response& response) {
    for (const Field& field : response.headers.all()) {
      if (field.id == FieldId::www_authenticate) challenges_.emplace_back(field.value);
      if (field.id == FieldId::location) location_ = field.value;
    }
  }
  void add_to(Response& response) const {
    if (!response.headers.has(FieldId::www_authenticate))
      for (const std::string& value : challenges_) response.headers.add("WWW-Authenticate", value);
    const bool redirects = response.status >= 301 && response.status <= 308 && response.status != 304;
    if (redirects && !location_.empty() && !response.headers.has(FieldId::location)) response.headers.add("Location", location_);
  }

 private:
  std::vector<std::string> challenges_;
  std::string location_;
};

// The loop over hops: an outcome leads to a response, or by an internal redirect or an error page to the next outcome. Ends
// with a finished Response, or with Abort.
Task<void> settle(Exchange& x, Outcome& outcome) {
  int final_status = 0;
  bool in_error_page = false;
  KeptFields kept;
  for (int hop = 0; hop <= kMaxHops; ++hop) {
    if (x.aborted || std::holds_alternative<Abort>(outcome)) {
      x.aborted = true;
      outcome = Abort{};
      co_return;
    }
    if (auto* internal = std::get_if<Internal>(&outcome)) {
      if (internal->status) final_status = internal->status;
      Internal to = std::move(*internal);
      co_await follow(x, std::move(to), outcome);
      continue;
    }
    CHECK(std::holds_alternative<Response>(outcome));
    Response& response = std::get<Response>(outcome);
    const bool bare = is_bare(response);
    if (bare && ends_connection(response.status)) x.keep_alive = false;
    const bool may_have_page = !in_error_page || *x.core().recursive_error_pages;
    std::optional<Outcome> page = may_have_page ? error_page_for(x, response) : std::nullopt;
    if (!page) {
      // An error page that fails itself is that failure, as in nginx.
      if (final_status && !bare) response.status = final_status;
      kept.add_to(response);
      page = finish(x, response, may_have_page);
      if (!page) co_return;
    }
    tell(x, [&] { return "error_page for " + std::to_string(response.status) + ": " + described(*page); });
    kept.keep(response);
    in_error_page = true;
    outcome = std::move(*page);
    auto* answer = std::get_if<Response>(&outcome);
    if (answer && !finish(x, *answer, false)) co_return;
  }
  x.log(Level::error, "rewrite or internal redirection cycle while internally redirecting to \"" + x.uri + "\"");
  outcome = Response(500);
  finish(x, std::get<Response>(outcome), false);
}

// What an exception out of a module becomes: one error line and a 500.
void log_exception(Exchange& x, std::exception_ptr error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    x.log(Level::error, std::string("a module threw an exception: ") + e.what());
  } catch (...) {
    x.log(Level::error, "a module threw an unknown exception");
  }
}

std::optional<Response> response_of(Outcome& outcome) {
  auto* response = std::get_if<Response>(&outcome);
  if (!response) return std::nullopt;
  return std::move(*response);
}

// From an outcome (Next: nobody has looked at the request yet) to the response. An exception is a 500, with its error page;
// a second one is a 500 that nobody is asked about.
Task<std::optional<Response>> answer(Exchange& x, Outcome outcome) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    std::exception_ptr error;
    try {
      if (is_next(outcome)) co_await serve(x, outcome);
      co_await settle(x, outcome);
      co_return response_of(outcome);
    } catch (...) {
      error = std::current_exception();
    }
    log_exception(x, error);
    x.response = nullptr;
    x.keep_alive = false;
    outcome = Response(500);
  }
  add_default_page(x, std::get<Response>(outcome));
  co_return response_of(outcome);
}

}  // namespace

Task<std::optional<Response>> respond(Exchange& x) { return answer(x, Next{}); }

Task<std::optional<Response>> respond_with(Exchange& x, int status) { return answer(x, Response(status)); }

}  // namespace seawall
