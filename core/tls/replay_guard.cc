#include "seawall/tls/replay_guard.h"

#include <cstring>
#include <ctime>
#include <new>

namespace seawall {
namespace {

std::int64_t monotonic_seconds() {
  timespec time;
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec;
}

}  // namespace

// Pages of shared memory are zero: constructing in place would touch all of them.
ReplayGuard::ReplayGuard()
    : memory_(sizeof(Table)), table_(*static_cast<Table*>(memory_.data())), born_(monotonic_seconds()) {
  new (&table_.mutex) SharedMutex;
}

ReplayGuard& ReplayGuard::instance() {
  static ReplayGuard guard;
  return guard;
}

bool ReplayGuard::take(std::span<const unsigned char, 32> random, std::int64_t now) {
  std::uint64_t hello, set;
  std::memcpy(&hello, random.data(), sizeof hello);
  std::memcpy(&set, random.data() + sizeof hello, sizeof set);
  const SharedLock lock(table_.mutex);
  if (!lock.intact) return false;  // what its holder was about to write may be missing: this one waits a round trip
  Seen* free = nullptr;
  for (Seen& seen : table_.seen[set % kSets]) {
    const bool fresh = seen.time != 0 && now - seen.time <= kSeconds;
    if (fresh && seen.hello == hello) return false;
    if (!fresh && !free) free = &seen;
  }
  if (!free) return false;
  free->hello = hello;
  free->time = now;
  return true;
}

bool ReplayGuard::is_young(std::int64_t now) const { return now - born_ <= kSeconds; }

}  // namespace seawall
