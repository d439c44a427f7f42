// TlsZone: what TLS remembers over reloads, crashes and new binaries: the keys of tickets and the ClientHellos with early data. It is
// one zone: were the hellos lost and the keys kept, an old hello's early data would be taken again. Any thread.
//
//   TlsZone::Locked zone;
//   zone->rings ...
#pragma once
#include <array>
#include <cstdint>

#include "seawall/base/shared_zone.h"
#include "seawall/tls/ticket_keys.h"

namespace seawall {

class TlsZone {
 public:
  class BornKey {
   public:
    std::int64_t born = 0;  // monotonic ns; 0: there is none
    TicketKey key{};
  };
  class Ring {
   public:
    std::int64_t lifetime = 0;  // ns; 0: nobody's
    BornKey current, previous;
  };
  class Seen {
   public:
    std::uint64_t hello;
    std::int64_t time;  // monotonic seconds; 0: free
  };
  static constexpr std::size_t kRings = 16, kSets = 4096, kWays = 8;
  class Contents {
   public:
    std::int64_t born;  // monotonic seconds: of hellos before nothing is known
    std::array<Ring, kRings> rings;
    Seen seen[kSets][kWays];
  };

  // Holds the zone.
  class Locked {
   public:
    Locked();
    Contents* operator->() const { return contents_; }
    Contents& operator*() const { return *contents_; }
    bool intact() const { return !lock_.emptied(); }  // else its last holder died, and all is new

   private:
    SharedZone::Lock lock_;
    Contents* contents_;
  };

  // Made at start-up, before the first fork.
  static void open();
};

}  // namespace seawall
