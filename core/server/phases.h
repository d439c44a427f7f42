// The phases of a request: the steps of each, in the Plan's order, until one of them answers. One loop.
//
//   Outcome outcome{Next{}};
//   co_await run_phase(x, Phase::preaccess, outcome);
//   if (is_next(outcome)) ...                     // nobody has answered
#pragma once
#include <memory>
#include <span>
#include <string>

#include "seawall/async/task.h"
#include "seawall/async/try_first.h"
#include "seawall/route/plan.h"

namespace seawall {

class Exchange;

inline bool is_next(const Outcome& outcome) { return std::holds_alternative<Next>(outcome); }
// In words, for who wants to know (probe.h).
std::string described(const Outcome& outcome);

// One phase. It needs no coroutine unless a step has to wait.
class PhaseRun {
 public:
  PhaseRun(Exchange& x, Phase phase, Outcome& outcome);
  bool now();
  Task<void> later();

 private:
  bool answered();
  void next();
  Exchange& x_;
  const Phase phase_;
  const Plan* plan_;
  std::span<const Plan::BoundStep> steps_;
  Outcome& outcome_;
  Rest rest_;  // of the first of them, which waits
};

// Of x's location. `outcome` is a Next before.
inline TryFirst<PhaseRun> run_phase(Exchange& x, Phase phase, Outcome& outcome) {
  return TryFirst<PhaseRun>(std::in_place, x, phase, outcome);
}

// The access phase has a rule of its own (satisfy), and does not concern subrequests: their request was let in.
bool has_access_phase(const Exchange& x);

// What all access steps say together. satisfy all: the first answer counts. satisfy any: one grant is enough, and a 401 is
// preferred to a 403 when nobody grants.
class AccessRun {
 public:
  AccessRun(Exchange& x, Outcome& outcome);
  bool now();
  Task<void> later();

 private:
  void ask();
  bool judge();
  bool is_delayed() const;
  Exchange& x_;
  Outcome& outcome_;
  const bool any_;
  std::span<const Plan::BoundStep> steps_;  // that are still to be asked
  const char* asked_ = nullptr;             // the last one's module
  std::unique_ptr<Response> denial_;        // under satisfy any, which may still find a grant
  Rest rest_;
};

inline TryFirst<AccessRun> run_access(Exchange& x, Outcome& outcome) { return TryFirst<AccessRun>(std::in_place, x, outcome); }

}  // namespace seawall
