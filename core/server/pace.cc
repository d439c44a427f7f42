#include "seawall/server/pace.h"

#include <algorithm>
#include <cmath>

#include "seawall/config/directive.h"
#include "seawall/net/loop.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/exchange.h"

namespace seawall {
namespace {

constexpr double kPacket = 1400, kSecond = 1e9;

// A value that is no size says nothing, after a line in the log.
std::int64_t size_now(const Template& value, Exchange& x) {
  if (value.empty()) return 0;
  const std::string text = value.eval(x);
  if (text.empty()) return 0;
  const auto size = size_of(text);
  if (!size) x.log(Level::error, "invalid size \"" + text + "\"");
  return size.value_or(0);
}

}  // namespace

Pace::Pace(std::int64_t rate, std::int64_t after, std::int64_t now)
    : rate_(static_cast<double>(rate)), credit_(static_cast<double>(after) + rate_), refilled_(now) {}

std::optional<Pace> Pace::of(Exchange& x) {
  if (!x.limit_rate && x.core().limit_rate->empty()) return std::nullopt;
  if (!x.limit_rate) x.limit_rate = size_now(*x.core().limit_rate, x);
  if (*x.limit_rate <= 0) return std::nullopt;
  return Pace(*x.limit_rate, size_now(*x.core().limit_rate_after, x), x.loop.now());
}

double Pace::piece(std::uint64_t left) const {
  return std::min({std::max(rate_ / 8, kPacket), rate_, static_cast<double>(left)});
}

std::uint64_t Pace::allowance(std::int64_t now, std::uint64_t left) {
  // What a slow client has not used is not saved up beyond a second's worth.
  const double earned = rate_ * static_cast<double>(now - refilled_) / kSecond;
  if (credit_ < rate_) credit_ = std::min(rate_, credit_ + earned);
  refilled_ = now;
  if (credit_ < piece(left)) return 0;
  return static_cast<std::uint64_t>(std::min(credit_, static_cast<double>(left)));
}

std::int64_t Pace::due(std::int64_t now, std::uint64_t left) const {
  return now + static_cast<std::int64_t>(std::ceil(std::max(0.0, piece(left) - credit_) / rate_ * kSecond)) + 1;
}

}  // namespace seawall
