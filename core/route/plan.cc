#include "seawall/route/plan.h"

#include <algorithm>

#include "seawall/config/binder.h"

namespace seawall {

const char* name_of(Phase phase) {
  static constexpr const char* names[kPhases] = {"post_read", "server_rewrite", "rewrite", "preaccess",
                                                 "access",    "precontent",     "content"};
  return names[static_cast<int>(phase)];
}

namespace {

void add_steps(Plan& plan, std::span<const Offer> offers, const Settings& settings, Phase phase) {
  for (std::size_t order = 0; order < offers.size(); ++order) {
    const Offer& offer = offers[order];
    for (const Step& step : offer.steps) {
      const void* conf = settings.get(offer.number);
      if (step.phase == phase && step.active(conf)) plan.steps.push_back({step.begin, step.may_wait, conf, offer.module, order});
    }
  }
}

void add_filters(Plan& plan, std::span<const Offer> offers, const Settings& settings) {
  for (const Offer& offer : offers)
    for (const Filter& filter : offer.filters) {
      const void* conf = settings.get(offer.number);
      if (filter.active(conf)) plan.filters.push_back({filter.stage, filter.run, conf, offer.module});
    }
  std::stable_sort(plan.filters.begin(), plan.filters.end(), [](auto& a, auto& b) { return a.stage < b.stage; });
}

}  // namespace

Plan make_plan(std::span<const Offer> offers, const Settings& settings) {
  Plan plan;
  for (int p = 0; p < kPhases; ++p) {
    plan.from[static_cast<std::size_t>(p)] = static_cast<std::uint16_t>(plan.steps.size());
    add_steps(plan, offers, settings, static_cast<Phase>(p));
  }
  plan.from[kPhases] = static_cast<std::uint16_t>(plan.steps.size());
  add_filters(plan, offers, settings);
  for (const Offer& offer : offers)
    if (offer.log) plan.logs.push_back({offer.log, settings.get(offer.number)});
  return plan;
}

}  // namespace seawall
