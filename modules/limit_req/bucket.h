// The buckets of a limit_req_zone: how far each key is above its rate. In shared memory, for all loops and generations.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "seawall/module/module.h"

namespace seawall::limit_req {

// What limit_req_zone says of its zone.
class Rate {
 public:
  Template key;
  std::int64_t rate = 0;  // of requests, a thousandth of one a second
};

// One limit_req: which zone, and how far above its rate a key may be.
class Limit {
 public:
  const Zone* zone = nullptr;
  std::int64_t burst = 0, delay = 0;  // thousandths of a request
  const Rate& rate() const { return *static_cast<const Rate*>(zone->data.get()); }
};

enum class Verdict : std::uint8_t { within, busy, full };

// What one more request of `key` would mean; `excess`: how far above the rate that is, in thousandths of a request. Counts it
// when it may pass and `count` says so. `now`: ms, monotonic. Full: the zone has no room for the key.
Verdict look(const Limit& limit, std::string_view key, std::int64_t now, bool count, std::int64_t& excess);
// Counts a request that all limits let pass; its excess.
std::int64_t count(const Limit& limit, std::string_view key, std::int64_t now);

}  // namespace seawall::limit_req
