// The phases of a request: the steps of each, in the Plan's order, until one of them answers. No coroutine: who runs them waits where
// a step has to. One loop.
//
//   PhaseRun run(x, outcome);                     // outcome is a Next
//   run.begin(Phase::preaccess);
//   while (!run.advance()) co_await run.rest();
//   if (is_next(outcome)) ...                     // nobody has answered
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "seawall/route/plan.h"
#include "seawall/route/step.h"

namespace seawall {

class Exchange;

inline bool is_next(const Outcome& outcome) { return std::holds_alternative<Next>(outcome); }
// In words, for who wants to know (probe.h).
std::string described(const Outcome& outcome);

// One phase of x's location after the other, as they are begun. The access phase has a rule of its own (satisfy), and does not concern
// subrequests: their request was let in. satisfy all: the first answer counts. satisfy any: one grant is enough, and a 401 is preferred
// to a 403 when nobody grants.
class PhaseRun {
 public:
  PhaseRun(Exchange& x, Outcome& outcome) : x_(x), outcome_(outcome) {}
  void begin(Phase phase);
  void end() { steps_ = {}; }  // of the phase that was begun: it asks nobody
  Phase phase() const { return phase_; }
  // As far as it goes without waiting. True: the phase is over; false: rest() is to be awaited, and then this.
  bool advance();
  Rest& rest() { return *rest_; }

 private:
  bool waits();
  void judge();
  bool decides();
  bool decides_access();
  void next();
  bool delays_refusal();
  Exchange& x_;
  Outcome& outcome_;
  Phase phase_ = Phase::post_read;
  const Plan* plan_ = nullptr;
  std::span<const Plan::BoundStep> steps_;  // that are still to be asked; the first is the one that waits
  std::unique_ptr<Response> denial_;        // of the access phase under satisfy any, which may still find a grant
  std::optional<Rest> rest_;
};

}  // namespace seawall
