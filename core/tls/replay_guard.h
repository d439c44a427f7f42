// ReplayGuard: which ClientHellos with early data have been seen (RFC 8446 8.2). OpenSSL takes early data only from a ticket
// whose age is right within ten seconds, so that is how long one must be remembered. Shared by loops, generations and a new binary
// (tls_zone.h); bounded:
// when it cannot remember one more, early data is refused, which costs the client a round trip. Any thread.
#pragma once
#include <cstdint>
#include <span>

#include "seawall/base/export.h"

namespace seawall {

class SEAWALL_API ReplayGuard {
 public:
  static void open();  // at start-up, before the first fork

  // May early data be taken that comes with this client random? `now`: monotonic seconds, the same for all processes.
  static bool take(std::span<const unsigned char, 32> random, std::int64_t now);
  // For keys of tickets that outlive the server: what came before its start is unknown.
  static bool is_young(std::int64_t now);

  static constexpr std::int64_t kSeconds = 30;
};

}  // namespace seawall
