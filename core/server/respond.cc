#include "seawall/server/respond.h"

#include <exception>

#include "seawall/route/choice.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/error_pages.h"
#include "seawall/server/exchange.h"
#include "seawall/server/finish_response.h"
#include "seawall/server/named_captures.h"
#include "seawall/server/phases.h"
#include "seawall/server/probe.h"
#include "seawall/server/vhost.h"

namespace seawall {
namespace {

// nginx's bound on rewrites and internal redirects of one request.
constexpr int kMaxHops = 10;

void tell_location(const Exchange& x) {
  tell(x, [&] { return "path " + x.uri + ": " + title_and_place_of(*x.location); });
  if (x.connection.probe && x.connection.probe->trace)
    for (const std::string& line : not_chosen(x.vhost->locations, x.uri, *x.location)) tell(x, [&] { return "  " + line; });
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
    for (const Phase phase : {Phase::preaccess, Phase::access, Phase::precontent, Phase::content}) {
      if (!is_next(outcome)) break;
      if (phase != Phase::access) co_await run_phase(x, phase, outcome);
      else if (has_access_phase(x)) co_await run_access(x, outcome);
    }
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
    if (is_redirect(response.status) && !location_.empty() && !response.headers.has(FieldId::location))
      response.headers.add("Location", location_);
  }

 private:
  std::vector<std::string> challenges_;
  std::string location_;
};

// As in nginx: the first location that is asked for a page and has recursive_error_pages off is the last one asked.
class PageSearch {
 public:
  std::optional<Outcome> page_for(Exchange& x, const Response& response) {
    if (!may_ask_ || !is_bare(response)) return std::nullopt;
    ask(x);
    return error_page_for(x, response);
  }
  bool may_ask() const { return may_ask_; }
  void ask(const Exchange& x) { may_ask_ = x.core().error_pages->empty() || *x.core().recursive_error_pages; }

 private:
  bool may_ask_ = true;
};

// The loop over hops: an outcome leads to a response, or by an internal redirect or an error page to the next outcome. Ends
// with a finished Response, or with Abort.
Task<void> settle(Exchange& x, Outcome& outcome) {
  int final_status = 0;
  PageSearch pages;
  KeptFields kept;
  for (int hop = 0; hop <= kMaxHops; ++hop) {
    if (x.aborted || std::holds_alternative<Abort>(outcome)) {
      tell_filters(x);
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
    std::optional<Outcome> page = pages.page_for(x, response);
    if (!page) {
      // An error page that fails itself is that failure, as in nginx.
      if (final_status && !bare) response.status = final_status;
      kept.add_to(response);
      page = finish_response(x, response, pages.may_ask());
      if (!page) co_return;
      pages.ask(x);
    }
    tell(x, [&] { return "error_page for " + std::to_string(response.status) + ": " + described(*page); });
    kept.keep(response);
    x.kept_fields.clear();  // they are about a file that is not there
    final_status = 0;       // what an earlier page was to have: this one may leave the status to whom answers (a bare "=")
    outcome = std::move(*page);
    auto* answer = std::get_if<Response>(&outcome);
    if (answer && !finish_response(x, *answer, false)) co_return;
  }
  x.log(Level::error, "rewrite or internal redirection cycle while internally redirecting to \"" + x.uri + "\"");
  outcome = Response(500);
  finish_response(x, std::get<Response>(outcome), false);
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

void take(Outcome& outcome, std::optional<Response>& response) {
  response.reset();
  if (auto* made = std::get_if<Response>(&outcome)) response.emplace(std::move(*made));
}

// From an outcome (Next: nobody has looked at the request yet) to the response. An exception is a 500, with its error page;
// a second one is a 500 that nobody is asked about.
Task<void> answer(Exchange& x, Outcome outcome, std::optional<Response>& response) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    std::exception_ptr error;
    try {
      if (is_next(outcome)) co_await serve(x, outcome);
      co_await settle(x, outcome);
      co_return take(outcome, response);
    } catch (...) {
      error = std::current_exception();
    }
    log_exception(x, error);
    x.response = nullptr;
    x.keep_alive = false;
    outcome = Response(500);
  }
  add_default_page(x, std::get<Response>(outcome));
  take(outcome, response);
}

}  // namespace

Task<void> respond(Exchange& x, std::optional<Response>& response) { return answer(x, Next{}, response); }

Task<void> respond_with(Exchange& x, int status, std::optional<Response>& response) { return answer(x, Response(status), response); }

Task<void> respond_at(Exchange& x, std::string name, std::optional<Response>& response) {
  return answer(x, Internal(std::move(name)), response);
}

Task<void> repeat_content(Exchange& x, std::optional<Response>& response) {
  Outcome outcome{Next{}};
  std::exception_ptr error;
  try {
    co_await run_phase(x, Phase::content, outcome);
  } catch (...) {
    error = std::current_exception();
  }
  if (error) log_exception(x, error);
  if (error || !std::holds_alternative<Response>(outcome)) outcome = Response(500);
  take(outcome, response);
}

}  // namespace seawall
