// What the server has counted, as a location with `probe_counts on` says it.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <string>

#include "e2e/curl.h"
#include "seawall/async/deadline.h"
#include "seawall/server/h2_limits.h"

namespace test {

// The nth number behind `name=` in such an answer.
inline std::uint64_t count_in(const std::string& answer, const std::string& name, std::size_t n = 0) {
  auto at = answer.find(name + "=");
  if (at == std::string::npos) return 0;
  at += name.size() + 1;
  for (; n > 0; --n) at = answer.find(',', at) + 1;
  return std::strtoull(answer.c_str() + at, nullptr, 10);
}

inline std::uint64_t timeouts(const std::string& url, seawall::Wait wait) {
  return count_in(get(url).body, "timeouts", static_cast<std::size_t>(wait));
}

inline std::uint64_t h2_abuses(const std::string& url, seawall::H2Abuse abuse) {
  return count_in(get(url).body, "h2_abuses", static_cast<std::size_t>(abuse));
}

}  // namespace test
