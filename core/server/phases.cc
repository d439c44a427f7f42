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
  if (phase != Phase::content || !x.connection.probe || !x.connection.probe->trace || step.module == std::string_view("echo")) return false;
  tell(x, [&] { return std::string("content: ") + step.module + " would answer; it is not asked"; });
  x.connection.probe->trace->is_unasked = true;
  return true;
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
    if (!step.now) return false;
    outcome_ = step.now(x_, step.conf);
    if (answered()) break;
  }
  return true;
}

Task<void> PhaseRun::later() {
  do {
    const Plan::BoundStep& step = steps_.front();
    if (stays_home(x_, phase_, step)) outcome_ = Abort{};
    else outcome_ = co_await step.later(x_, step.conf);
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

Task<void> run_access(Exchange& x, Outcome& outcome) {
  outcome = co_await ask_access(x);
  const auto* refusal = std::get_if<Response>(&outcome);
  if (refusal && refusal->status == 401) co_await delay_refusal(x);
}

}  // namespace seawall
