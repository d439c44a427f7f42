#include "seawall/tls/replay_guard.h"

#include <cstring>

#include "seawall/tls/tls_zone.h"

namespace seawall {

void ReplayGuard::open() { TlsZone::open(); }

bool ReplayGuard::take(std::span<const unsigned char, 32> random, std::int64_t now) {
  std::uint64_t hello, set;
  std::memcpy(&hello, random.data(), sizeof hello);
  std::memcpy(&set, random.data() + sizeof hello, sizeof set);
  const TlsZone::Locked zone;
  if (!zone.intact()) return false;  // what its holder was about to write may be missing: this one waits a round trip
  TlsZone::Seen* free = nullptr;
  for (TlsZone::Seen& seen : zone->seen[set % TlsZone::kSets]) {
    const bool fresh = seen.time != 0 && now - seen.time <= kSeconds;
    if (fresh && seen.hello == hello) return false;
    if (!fresh && !free) free = &seen;
  }
  if (!free) return false;
  free->hello = hello;
  free->time = now;
  return true;
}

bool ReplayGuard::is_young(std::int64_t now) {
  const TlsZone::Locked zone;
  return now - zone->born <= kSeconds;
}

}  // namespace seawall
