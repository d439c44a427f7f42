// Plan: what runs for a request in one location, decided at load: the active steps in phase order and the active filters
// in stage order, each bound to its Conf. Immutable; any loop.
#pragma once
#include <array>
#include <span>
#include <vector>

#include "seawall/route/step.h"

namespace seawall {

struct Module;
class Settings;

struct Plan {
  struct BoundStep {
    Rest (*begin)(Exchange&, const void*, Outcome&);
    bool may_wait;
    const void* conf;
    const char* module;
    std::size_t order;  // the module's, among all: the same in every plan
  };
  struct BoundFilter {
    FilterStage stage;
    Result<void> (*run)(Exchange&, Response&, const void*);
    const void* conf;
    const char* module;
  };
  struct BoundLog {
    void (*run)(Exchange&, const void*);
    const void* conf;
  };

  std::vector<BoundStep> steps;               // all phases, in order
  std::array<std::uint16_t, kPhases + 1> from{};  // where each phase begins in steps
  std::vector<BoundFilter> filters;
  std::vector<BoundLog> logs;

  std::span<const BoundStep> of(Phase phase) const {
    const auto p = static_cast<std::size_t>(phase);
    return {steps.data() + from[p], static_cast<std::size_t>(from[p + 1] - from[p])};
  }
};

// What one module offers to plans.
struct Offer {
  int number;  // of the module
  const char* module;
  std::span<const Step> steps;
  std::span<const Filter> filters;
  void (*log)(Exchange&, const void*);
};

// The plan of the block with these settings: the offers whose `active` says so for the Conf in force.
Plan make_plan(std::span<const Offer> offers, const Settings& settings);

}  // namespace seawall
