// The counters of a limit_conn_zone: how many requests of a key are being served. In shared memory, for all loops and
// generations. What a process that died has counted does not count.
#pragma once
#include <atomic>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "seawall/base/process_id.h"
#include "seawall/module/module.h"

namespace seawall::limit_conn {

// What limit_conn_zone says of its zone.
class Key {
 public:
  Template value;
  // ns: when this process last asked the system who is dead, for all counters and for those that were in its way.
  mutable std::atomic<std::int64_t> cleaned_up{0}, asked{0};
  mutable std::vector<ProcessId> dead;  // those that it has found so; under the zone's lock
};

// One limit_conn.
class Limit {
 public:
  const Zone* zone = nullptr;
  std::int64_t most = 0;
  const Template& key() const { return static_cast<const Key*>(zone->data.get())->value; }
};

// Holds one place under a limit until it dies.
class Lease {
 public:
  Lease() = default;
  Lease(Lease&& other) noexcept : zone_(std::exchange(other.zone_, nullptr)), counter_(other.counter_), share_(other.share_), epoch_(other.epoch_) {}
  Lease& operator=(Lease&&) = delete;
  ~Lease() { release(); }
  explicit operator bool() const { return zone_ != nullptr; }

  // Empty when the key has all its places in use; `full`: or the zone has no room for it. `now`: ns.
  static Lease take(const Limit& limit, std::string_view key, const ProcessId& self, std::int64_t now, bool& full);

 private:
  void release();
  const Zone* zone_ = nullptr;
  ZoneRef counter_ = 0, share_ = 0;
  std::uint64_t epoch_ = 0;  // of the zone: once that was emptied there is nothing to give back
};

}  // namespace seawall::limit_conn
