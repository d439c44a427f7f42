#include "seawall/server/phases.h"

#include <utility>

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

void PhaseRun::begin(Phase phase) {
  set_current_exchange(x_);
  phase_ = phase;
  plan_ = &x_.plan();
  steps_ = plan_->of(phase);
  if (phase == Phase::access && x_.parent) steps_ = {};
}

bool PhaseRun::advance() {
  if (rest_) {
    rest_.reset();
    if (steps_.empty()) return true;  // it was the delay behind them
    judge();
  }
  while (!steps_.empty()) {
    if (waits()) return false;
    judge();
  }
  return phase_ != Phase::access || !delays_refusal();
}

bool PhaseRun::waits() {
  const Plan::BoundStep& step = steps_.front();
  if (stays_home(x_, phase_, step)) {
    outcome_ = Abort{};
    return false;
  }
  Rest rest = step.begin(x_, step.conf, outcome_);
  if (!rest) return false;
  rest_.emplace(std::move(rest));
  return true;
}

// What the first step has said: the end of the phase, or it is the next one's turn.
void PhaseRun::judge() {
  if (phase_ == Phase::access ? decides_access() : decides()) steps_ = {};
  else next();
}

bool PhaseRun::decides() {
  if (x_.aborted) outcome_ = Abort{};
  if (is_next(outcome_)) return false;
  tell(x_, [&] { return std::string(name_of(phase_)) + ": " + steps_.front().module + " " + described(outcome_); });
  return true;
}

// What it has said is kept or forgotten otherwise.
bool PhaseRun::decides_access() {
  tell(x_, [&] { return std::string("access: ") + steps_.front().module + " " + described(outcome_); });
  if (x_.aborted) outcome_ = Abort{};
  else if (is_next(outcome_)) return false;
  const bool any = *x_.core().satisfy == Satisfy::any;
  const bool is_granted = std::holds_alternative<Granted>(outcome_);
  const bool decided = is_granted ? any : !(any && denies(outcome_));
  if (decided) denial_.reset();
  else if (!is_granted) keep_denial(denial_, std::get<Response>(outcome_));
  if (is_granted || !decided) outcome_ = Next{};
  return decided;
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

// The end of the access phase: what nobody has granted is denied, and waits where auth_delay says so.
bool PhaseRun::delays_refusal() {
  if (denial_) {
    if (denial_->status == 403) x_.log(Level::error, "access forbidden by rule");
    outcome_ = std::move(*denial_);
    denial_.reset();
  }
  const auto* refusal = std::get_if<Response>(&outcome_);
  if (!refusal || refusal->status != 401 || x_.core().auth_delay->count() <= 0) return false;
  rest_.emplace(delay_refusal(x_));
  return true;
}

}  // namespace seawall
