// When a certificate is renewed, and when one that failed is tried again. Pure; times are seconds since 1970, `chance` is in
// [0, 1).
#pragma once
#include <algorithm>
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>

namespace seawall::acme {

// At two thirds of its life, up to a twentieth of it earlier: certificates that came together do not go together.
inline std::int64_t renewal_time(std::int64_t not_before, std::int64_t not_after, double chance) {
  const double life = static_cast<double>(std::max<std::int64_t>(not_after - not_before, 0));
  return not_before + static_cast<std::int64_t>(life * (2.0 / 3 - chance / 20));
}

// Within the window that the CA suggests (RFC 9773 4.2); one that has begun is now.
inline std::int64_t time_in_window(std::int64_t start, std::int64_t end, double chance) {
  return start + static_cast<std::int64_t>(static_cast<double>(std::max<std::int64_t>(end - start, 0)) * chance);
}

// The last moment that a CA may suggest: a tenth of the certificate's life is left for tries that fail.
inline std::int64_t latest_renewal(std::int64_t not_before, std::int64_t not_after) {
  return not_after - std::max<std::int64_t>(not_after - not_before, 0) / 10;
}

// After so many failures in a row: doubles from the first pause to the last, a quarter more or less.
inline std::int64_t pause_after(int failures, std::int64_t first, std::int64_t last, double chance) {
  std::int64_t pause = std::max<std::int64_t>(first, 1);
  for (int i = 1; i < failures && pause < last; ++i) pause *= 2;
  pause = std::min(pause, std::max<std::int64_t>(last, 1));
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(static_cast<double>(pause) * (0.75 + chance / 2)));
}

// ... but no longer than an eighth of the time that the present certificate has left: short lives allow no long pauses.
inline std::int64_t pause_within(std::int64_t pause, std::int64_t left, std::int64_t first) {
  return left > 0 ? std::min(pause, std::max(first, left / 8)) : pause;
}

// "2026-01-02T15:04:05Z" (RFC 3339), fractions of a second and offsets too. Nothing: it is no such thing.
inline std::optional<std::int64_t> seconds_of_rfc3339(const std::string& text) {
  tm parts{};
  const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (!rest) return std::nullopt;
  if (*rest == '.')
    for (++rest; *rest >= '0' && *rest <= '9';) ++rest;
  const std::int64_t seconds = ::timegm(&parts);
  if ((*rest == 'Z' || *rest == 'z') && !rest[1]) return seconds;
  tm offset{};
  const char* const end = *rest == '+' || *rest == '-' ? ::strptime(rest + 1, "%H:%M", &offset) : nullptr;
  if (!end || *end) return std::nullopt;
  const std::int64_t ahead = offset.tm_hour * 3600 + offset.tm_min * 60;
  return *rest == '+' ? seconds - ahead : seconds + ahead;
}

}  // namespace seawall::acme
