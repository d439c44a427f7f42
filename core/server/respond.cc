#include "seawall/server/respond.h"

#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "seawall/route/choice.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/error_pages.h"
#include "seawall/server/exchange.h"
#include "seawall/server/finish_response.h"
#include "seawall/server/phase_walk.h"
#include "seawall/server/probe.h"
#include "seawall/server/vhost.h"

namespace seawall {
namespace {

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

// From an outcome to what will be sent: a walk through the phases ends with an answer, which leads by an internal redirect or an error
// page to the next one.
class Way {
 public:
  Way(Exchange& x, Outcome& outcome) : x_(x), outcome_(outcome), walk_(x, outcome) {
    if (is_next(outcome)) begin();
  }
  // As far as it goes without waiting. True: `outcome` is a finished Response, or Abort; false: rest() is to be awaited, and then this.
  bool advance();
  Rest& rest() { return walk_.rest(); }

 private:
  void begin();
  bool settle();
  void follow(Internal internal);
  bool finish(Response& response);
  bool turn_to(const Response& response, Outcome page);
  bool end_cycle();
  Exchange& x_;
  Outcome& outcome_;
  PhaseWalk walk_;
  bool is_walking_ = false;
  int hops_ = 0;
  int final_status_ = 0;
  PageSearch pages_;
  std::unique_ptr<KeptFields> kept_;  // of responses that pages have replaced
};

void Way::begin() {
  is_walking_ = true;
  walk_.begin();
}

bool Way::advance() {
  do {
    if (is_walking_ && !walk_.advance()) return false;
    is_walking_ = false;
  } while (!settle());
  return true;
}

// What the outcome leads to: the end, or another hop.
bool Way::settle() {
  if (hops_++ > kMaxHops) return end_cycle();
  if (x_.aborted || std::holds_alternative<Abort>(outcome_)) {
    tell_filters(x_);
    x_.aborted = true;
    outcome_ = Abort{};
    return true;
  }
  if (auto* internal = std::get_if<Internal>(&outcome_)) {
    if (internal->status) final_status_ = internal->status;
    follow(std::move(*internal));
    return false;
  }
  CHECK(std::holds_alternative<Response>(outcome_));
  return finish(std::get<Response>(outcome_));
}

// Goes where an Internal points. An answer when that is nowhere.
void Way::follow(Internal internal) {
  tell(x_, [&] { return "internal redirect to " + internal.to + (internal.args.empty() ? "" : "?" + internal.args); });
  x_.internal = true;
  if (!internal.keep_method && x_.method != Method::head) x_.method = Method::get;
  if (!internal.to.starts_with('@')) {
    x_.uri = std::move(internal.to);
    x_.args = std::move(internal.args);
    return begin();
  }
  const Location* named = x_.vhost->locations.named(internal.to);
  if (!named) {
    x_.log(Level::error, "could not find named location \"" + internal.to + "\"");
    outcome_ = Response(500);
    return;
  }
  x_.enter(*named);
  tell(x_, [&] { return title_and_place_of(*named); });
  is_walking_ = true;
  walk_.begin_named();
}

// False: an error page takes its place.
bool Way::finish(Response& response) {
  const bool bare = is_bare(response);
  if (bare && ends_connection(response.status)) x_.keep_alive = false;
  if (std::optional<Outcome> page = pages_.page_for(x_, response)) return turn_to(response, std::move(*page));
  // An error page that fails itself is that failure, as in nginx.
  if (final_status_ && !bare) response.status = final_status_;
  if (kept_) kept_->add_to(response);
  std::optional<Outcome> page = finish_response(x_, response, pages_.may_ask());
  if (!page) return true;
  pages_.ask(x_);
  return turn_to(response, std::move(*page));
}

// True: the page is a finished response itself.
bool Way::turn_to(const Response& response, Outcome page) {
  tell(x_, [&] { return "error_page for " + std::to_string(response.status) + ": " + described(page); });
  if (!kept_) kept_ = std::make_unique<KeptFields>();
  kept_->keep(response);
  x_.kept_fields.clear();  // they are about a file that is not there
  final_status_ = 0;       // what an earlier page was to have: this one may leave the status to whom answers (a bare "=")
  outcome_ = std::move(page);
  auto* answer = std::get_if<Response>(&outcome_);
  return answer && !finish_response(x_, *answer, false);
}

bool Way::end_cycle() {
  x_.log(Level::error, "rewrite or internal redirection cycle while internally redirecting to \"" + x_.uri + "\"");
  outcome_ = Response(500);
  finish_response(x_, std::get<Response>(outcome_), false);
  return true;
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

}  // namespace

Task<void> respond(Exchange& x, Outcome& outcome) {
  // An exception is a 500, with its error page; a second one is a 500 that nobody is asked about.
  for (int attempt = 0; attempt < 2; ++attempt) {
    std::exception_ptr error;
    try {
      Way way(x, outcome);
      while (!way.advance()) co_await way.rest();
      co_return;
    } catch (...) {
      error = std::current_exception();
    }
    log_exception(x, error);
    x.response = nullptr;
    x.keep_alive = false;
    outcome = Response(500);
  }
  add_default_page(x, std::get<Response>(outcome));
}

Task<void> repeat_content(Exchange& x, Outcome& outcome) {
  std::exception_ptr error;
  outcome = Next{};
  try {
    PhaseRun run(x, outcome);
    run.begin(Phase::content);
    while (!run.advance()) co_await run.rest();
  } catch (...) {
    error = std::current_exception();
  }
  if (error) log_exception(x, error);
  if (error || !std::holds_alternative<Response>(outcome)) outcome = Response(500);
}

}  // namespace seawall
