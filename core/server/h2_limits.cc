#include "seawall/server/h2_limits.h"

#include <algorithm>

namespace seawall {
namespace {

struct Limit {
  const char* label;
  const char* name;
  std::uint32_t burst;     // at once
  std::uint32_t a_second;  // afterwards
};

// Far above what browsers, curl and gRPC clients do: a page that is left behind resets what it still waits for, once.
constexpr Limit kLimits[] = {
    {"rapid_reset", "client reset too many streams", 256, 20},
    {"made_you_reset", "client sent too many broken frames", 100, 10},
    {"refused_streams", "client sent too many refused streams", 256, 20},
    {"continuation_flood", "client sent too many CONTINUATION frames", 0, 0},
    {"header_bomb", "client sent a header block that unpacks to too much", 0, 0},
    {"settings_flood", "client sent too many SETTINGS frames", 32, 2},
    {"ping_flood", "client sent too many PING frames", 256, 20},
    {"priority_flood", "client sent too many PRIORITY frames", 512, 100},
    {"empty_frame_flood", "client sent too many empty frames", 100, 10},
    {"window_flood", "client sent too many WINDOW_UPDATE frames", 2000, 100},
    {"unknown_flood", "client sent too many frames of unknown types", 100, 10},
    {"window_stall", "client left too many responses unread", 0, 0},
};
static_assert(std::size(kLimits) == kH2Abuses);

const Limit& limit_of(H2Abuse abuse) { return kLimits[static_cast<std::size_t>(abuse)]; }

}  // namespace

const char* name_of(H2Abuse abuse) { return limit_of(abuse).name; }
const char* label_of(H2Abuse abuse) { return limit_of(abuse).label; }

bool H2Budgets::spend(H2Abuse abuse, std::int64_t now) {
  Budget& budget = budgets_[static_cast<std::size_t>(abuse)];
  const Limit& limit = limit_of(abuse);
  const std::int64_t second = now / 1'000'000'000 + 1;  // never 0: that is a budget nobody has used
  if (budget.updated == 0) {
    budget.left = limit.burst;
  } else if (second > budget.updated) {
    const auto refilled = static_cast<std::uint64_t>(second - budget.updated) * limit.a_second + budget.left;
    budget.left = static_cast<std::uint32_t>(std::min<std::uint64_t>(refilled, std::max(limit.burst, budget.left)));
  }
  budget.updated = second;
  if (budget.left == 0) return false;
  --budget.left;
  return true;
}

void H2Budgets::earn(H2Abuse abuse, std::uint32_t amount) {
  Budget& budget = budgets_[static_cast<std::size_t>(abuse)];
  if (budget.updated != 0 && budget.left < 1'000'000) budget.left += amount;
}

}  // namespace seawall
