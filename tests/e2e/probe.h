// What tests of the protocol loop share: the module probe (tests/probe), which reads bodies, waits and streams, and
// whether this build is one whose times mean something.
#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include "e2e/paths.h"
#include "e2e/server.h"

namespace test {

// A whole configuration with the module loaded; `http` is the inside of http {}, `events` that of events {}.
inline std::string with_probe(std::string_view http, std::string_view main = {}, std::string_view events = {}) {
  std::string text(main);
  text.append("\nload_module " + probe_path() + ";\nevents { ").append(events).append(" }\nhttp {\n").append(http);
  return text.append("\n}\n");
}

// Sanitizers and a busy machine stretch everything: upper bounds on time hold on the optimised build alone.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kStrictTimes = false;
#else
inline constexpr bool kStrictTimes = true;
#endif

// How late a wait of this length may end.
inline Clock::duration at_the_latest(Clock::duration limit) {
  return limit + (kStrictTimes ? std::chrono::milliseconds(500) : std::chrono::milliseconds(15'000));
}

inline const std::string kSignature = "seawall/0.1.0";

// The page nginx would send with this title, under our name.
inline std::string default_page(const std::string& title, const std::string& signature = kSignature) {
  return "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" + title +
         "</h1></center>\r\n<hr><center>" + signature + "</center>\r\n</body>\r\n</html>\r\n";
}

}  // namespace test
