// How long a client may take for so many bytes at a minimum rate (client_body_min_rate, send_min_rate). Pure.
#pragma once
#include <algorithm>
#include <cstdint>

namespace seawall {

// In ms, at most a year: what a deadline is computed from must not overflow, whatever was transferred.
inline std::int64_t earned_time(std::uint64_t bytes, std::int64_t bytes_a_second) {
  constexpr std::uint64_t kYear = 365ull * 24 * 3600;
  const auto rate = static_cast<std::uint64_t>(bytes_a_second);
  const std::uint64_t seconds = std::min(bytes / rate, kYear);
  const double rest = static_cast<double>(bytes % rate) / static_cast<double>(rate);
  return static_cast<std::int64_t>(seconds * 1000) + static_cast<std::int64_t>(rest * 1000);
}

// In ns: a slow start or a short stall is nobody's end.
inline std::int64_t allowed_time(std::uint64_t bytes, std::int64_t bytes_a_second) {
  constexpr std::int64_t kGrace = 10'000;
  return std::max(kGrace, earned_time(bytes, bytes_a_second)) * 1'000'000;
}

}  // namespace seawall
