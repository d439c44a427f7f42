#include "seawall/server/phases.h"

#include "seawall/async/event.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/current_exchange.h"
#include "seawall/server/exchange.h"
#include "seawall/server/probe.h"

namespace seawall {
namespace {

// A handler that would ask somebody else is not run for who only wants to know. That of echo may wait, but asks nobody.
bool stays_home(const Exchange& x, Phase phase, const Plan::BoundStep& step) {
  if (phase != Phase::content || !x.connection.probe || !x.connection.probe->trace || !step.may_wait) return false;
  if (step.module == std::string_view("echo")) return false;
  tell(x, [&] { return std::string("content: ") + step.module + " would answer; it is not asked"; });
  x.connection.probe->trace->is_unasked = true;
  return true;
}

// True: the step has to wait, and `kept` has the rest of it.
bool waits(Exchange& x, const Plan::BoundStep& step, Outcome& outcome, Rest& kept) {
  Rest rest = step.begin(x, step.conf, outcome);
  if (!rest) return false;
  kept.emplace(std::move(*rest));
  return true;
}

bool denies(const Outcome& outcome) {
  auto* response = std::get_if<Response>(&outcome);
  return response && (response->status == 401 || response->status == 403);
}

// Against guessing: who was refused for want of a password hears it auth_delay later, which is no time of the handler's.
Task<void> delay_refusal(Exchange& x) {
  const Milliseconds delay = *x.core().auth_delay;
  x.log(Level::info, "delaying unauthorized request");
  x.pause_handler_clock();
  co_await sleep_until(Deadline::in(delay, Wait::handler).earlier(x.last_deadline(Wait::handler)));
  x.resume_handler_clock();
}

// Of several denials: a 401 rather than a 403, with every way to come in that one of them has named.
void keep_denial(std::unique_ptr<Response>& kept, Response& next) {
  if (kept && kept->status == 401) {
    for (const Field& field : next.headers.all())
      if (field.id == FieldId::www_authenticate) kept->headers.add(field.name, field.value);
  } else if (!kept || next.status == 401) {
    kept = std::make_unique<Response>(std::move(next));
  }
}

}  // namespace

std::string described(const Outcome& outcome) {
  if (auto* response = std::get_if<Response>(&outcome)) return "answers " + std::to_string(response->status);
  if (auto* relocate = std::get_if<Relocate>(&outcome)) return "searches a location for " + relocate->uri;
  if (auto* internal = std::get_if<Internal>(&outcome)) return "goes on at " + internal->to;
  if (std::holds_alternative<Granted>(outcome)) return "allows";
  return std::holds_alternative<Abort>(outcome) ? "closes the connection" : "has no objection";
}

PhaseRun::PhaseRun(Exchange& x, Phase phase, Outcome& outcome)
    : x_(x), phase_(phase), plan_(&x.plan()), steps_(plan_->of(phase)), outcome_(outcome) {
  set_current_exchange(x);
}

bool PhaseRun::now() {
  for (; !steps_.empty(); next()) {
    const Plan::BoundStep& step = steps_.front();
    if (stays_home(x_, phase_, step)) outcome_ = Abort{};
    else if (waits(x_, step, outcome_, rest_)) return false;
    if (answered()) break;
  }
  return true;
}

Task<void> PhaseRun::later() {
  do {
    outcome_ = co_await std::move(*rest_);
    rest_.reset();
    if (answered()) co_return;
    next();
  } while (!now());
}

bool PhaseRun::answered() {
  if (x_.aborted) outcome_ = Abort{};
  if (is_next(outcome_)) return false;
  tell(x_, [&] { return std::string(name_of(phase_)) + ": " + steps_.front().module + " " + described(outcome_); });
  return true;
}

// A step that has entered an `if` is followed by what comes after it there.
void PhaseRun::next() {
  const std::size_t done = steps_.front().order;
  if (plan_ == &x_.plan()) {
    steps_ = steps_.subspan(1);
    return;
  }
  plan_ = &x_.plan();
  steps_ = plan_->of(phase_);
  while (!steps_.empty() && steps_.front().order <= done) steps_ = steps_.subspan(1);
}

bool has_access_phase(const Exchange& x) { return !x.parent && !x.plan().of(Phase::access).empty(); }

AccessRun::AccessRun(Exchange& x, Outcome& outcome)
    : x_(x), outcome_(outcome), any_(*x.core().satisfy == Satisfy::any), steps_(x.plan().of(Phase::access)) {}

bool AccessRun::now() {
  ask();
  return !rest_ && !is_delayed();
}

Task<void> AccessRun::later() {
  while (rest_) {
    outcome_ = co_await std::move(*rest_);
    rest_.reset();
    if (!judge()) ask();
  }
  if (is_delayed()) co_await delay_refusal(x_);
}

// One after the other, until there is an answer or one waits.
void AccessRun::ask() {
  while (!steps_.empty()) {
    const Plan::BoundStep& step = steps_.front();
    steps_ = steps_.subspan(1);
    asked_ = step.module;
    if (waits(x_, step, outcome_, rest_) || judge()) return;
  }
  if (!denial_) return;
  if (denial_->status == 403) x_.log(Level::error, "access forbidden by rule");
  outcome_ = std::move(*denial_);
}

// Has the last one decided? What it has said is kept or forgotten otherwise.
bool AccessRun::judge() {
  tell(x_, [&] { return std::string("access: ") + asked_ + " " + described(outcome_); });
  if (x_.aborted) outcome_ = Abort{};
  else if (is_next(outcome_)) return false;
  const bool is_granted = std::holds_alternative<Granted>(outcome_);
  if (!is_granted && !(any_ && denies(outcome_))) return true;
  if (!is_granted) keep_denial(denial_, std::get<Response>(outcome_));
  outcome_ = Next{};
  return is_granted && any_;
}

bool AccessRun::is_delayed() const {
  const auto* refusal = std::get_if<Response>(&outcome_);
  return refusal && refusal->status == 401 && x_.core().auth_delay->count() > 0;
}

}  // namespace seawall
