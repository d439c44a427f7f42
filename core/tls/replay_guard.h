// ReplayGuard: which ClientHellos with early data have been seen (RFC 8446 8.2). OpenSSL takes early data only from a ticket
// whose age is right within ten seconds, so that is how long one must be remembered. Shared by loops and generations; bounded:
// when it cannot remember one more, early data is refused, which costs the client a round trip. Any thread.
#pragma once
#include <cstdint>
#include <span>

#include "seawall/base/shared_memory.h"

namespace seawall {

class SEAWALL_API ReplayGuard {
 public:
  ReplayGuard();
  static ReplayGuard& instance();  // made at start-up, before the first fork

  // May early data be taken that comes with this client random? `now`: monotonic seconds, the same for all processes.
  bool take(std::span<const unsigned char, 32> random, std::int64_t now);
  // For keys of tickets that outlive the server: what came before its start is unknown.
  bool is_young(std::int64_t now) const;

  static constexpr std::int64_t kSeconds = 30;

 private:
  static constexpr std::size_t kSets = 4096, kWays = 8;
  struct Seen {
    std::uint64_t hello;
    std::int64_t time;  // 0: free
  };
  struct Table {
    SharedMutex mutex;
    Seen seen[kSets][kWays];
  };
  SharedMemory memory_;
  Table& table_;
  const std::int64_t born_;
};

}  // namespace seawall
