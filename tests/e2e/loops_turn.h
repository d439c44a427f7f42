// For tests of profiles that name a loop: a loop has a number from its first turn on.
#pragma once
#include <string>

#include "e2e/curl.h"
#include "e2e/server.h"
#include "e2e/times_in.h"
#include "e2e/timing.h"

namespace test {

// True once each of a worker's first `loops` loops has turned. The server has `profile` at /debug/.
inline bool loops_turn(const Server& s, int loops) {
  return wait_until([&] {
    for (int loop = 0; loop < loops; ++loop)
      if (get(s.url("/debug/tasks?most=1&loop=" + std::to_string(loop))).status != 200) return false;
    return true;
  });
}

// True once so many traces are being made.
inline bool traces_run(const Server& s, int traces) {
  return wait_until([&] { return times_in(get(s.url("/debug/tasks")).body, "Tracing::run") >= traces; });
}

}  // namespace test
