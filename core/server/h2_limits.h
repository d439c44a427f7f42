// What an HTTP/2 client may ask for that costs us and serves nobody: each has a budget that refills slowly, and a client
// that has used one up is cut off with GOAWAY(ENHANCE_YOUR_CALM), one log line and one counter. One loop.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace seawall {

enum class H2Abuse : std::uint8_t {
  rapid_reset,         // CVE-2023-44487: requests that are taken back at once
  made_you_reset,      // CVE-2025-8671: broken frames that make us take requests back
  refused_streams,     // more streams than http2_max_concurrent_streams, again and again
  continuation_flood,  // CVE-2024-27316: a header block without an end
  header_bomb,         // CVE-2016-6581: a few bytes that unpack to many
  settings_flood,      // CVE-2019-9515
  ping_flood,          // CVE-2019-9512
  priority_flood,      // CVE-2019-9513; nghttp2 has no bound of its own
  empty_frame_flood,   // CVE-2019-9518; nor here
  window_flood,        // WINDOW_UPDATE of a byte at a time
  unknown_flood,       // frames of types that nobody knows
  window_stall,        // CVE-2019-9517: responses that are asked for and not taken; ends the stream alone
};
inline constexpr int kH2Abuses = 12;
const char* name_of(H2Abuse abuse);   // "client sent too many ...", for the log
const char* label_of(H2Abuse abuse);  // "rapid_reset", for counters

// How much of each one connection has left.
class H2Budgets {
 public:
  // False when there is none left; `now` in ns, monotonic.
  bool spend(H2Abuse abuse, std::int64_t now);
  // Window updates are fine as long as they follow data.
  void earn(H2Abuse abuse, std::uint32_t amount);

 private:
  struct Budget {
    std::int64_t updated = 0;
    std::uint32_t left = 0;
  };
  std::array<Budget, kH2Abuses> budgets_;
};

}  // namespace seawall
