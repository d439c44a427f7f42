// A counter is a list of shares, one for each process that serves requests of the key: mostly one.
#include "counter.h"

#include <algorithm>
#include <new>
#include <vector>

#include "seawall/base/zone_index.h"

namespace seawall::limit_conn {
namespace {

const Key& key_of(const Limit& limit) { return *static_cast<const Key*>(limit.zone->data.get()); }

class Counter {
 public:
  ZoneRef shares;
};
using Counters = ZoneIndex<Counter>;

class Share {
 public:
  ProcessId process;
  ZoneRef next;
  std::uint32_t count;
};

std::int64_t sum(SharedZone& memory, const Counter& counter) {
  std::int64_t all = 0;
  for (Share* share = memory.at<Share>(counter.shares); share; share = memory.at<Share>(share->next)) all += share->count;
  return all;
}

void remove_share(SharedZone& memory, Counter& counter, ZoneRef wanted) {
  ZoneRef* link = &counter.shares;
  while (*link != wanted) link = &memory.at<Share>(*link)->next;
  *link = memory.at<Share>(wanted)->next;
  memory.free(wanted);
}

constexpr std::size_t kDead = 64;  // workers that are remembered as dead

// What processes that ended without giving back have left. Asking the system takes long beside the rest: only where `ask` says
// so, and for each once. Who has been found dead stays so.
class Dead {
 public:
  Dead(const Key& key, const ProcessId& self, bool ask) : key_(key), alive_{self}, ask_(ask) {}
  void bury(SharedZone& memory, Counter& counter) {
    for (ZoneRef ref = counter.shares; ref;) {
      const ZoneRef next = memory.at<Share>(ref)->next;
      if (is_dead(memory.at<Share>(ref)->process)) remove_share(memory, counter, ref);
      ref = next;
    }
  }

 private:
  static bool has(const std::vector<ProcessId>& all, const ProcessId& one) { return std::find(all.begin(), all.end(), one) != all.end(); }
  bool is_dead(const ProcessId& process) {
    if (has(key_.dead, process)) return true;
    if (!ask_ || has(alive_, process)) return false;
    if (process.alive()) {
      alive_.push_back(process);
      return false;
    }
    if (key_.dead.size() >= kDead) key_.dead.erase(key_.dead.begin());
    key_.dead.push_back(process);
    return true;
  }
  const Key& key_;
  std::vector<ProcessId> alive_;
  const bool ask_;
};

ZoneRef share_of(SharedZone& memory, Counter& counter, const ProcessId& process) {
  for (ZoneRef ref = counter.shares; ref; ref = memory.at<Share>(ref)->next)
    if (memory.at<Share>(ref)->process == process) return ref;
  const ZoneRef added = memory.allocate(sizeof(Share));
  if (!added) return 0;
  Share& share = *new (memory.at<Share>(added)) Share;
  share.process = process;
  share.next = counter.shares;
  share.count = 0;
  counter.shares = added;
  return added;
}

// A counter without requests is none: one that came to be and could not be used.
ZoneRef drop_if_unused(Counters& counters, Counter* counter) {
  if (counter && !counter->shares) counters.remove(counter);
  return 0;
}

// At most once a second: asking the system takes long, and all loops wait.
bool is_due(std::atomic<std::int64_t>& last, std::int64_t now) {
  std::int64_t before = last;
  return (before == 0 || now - before > 1'000'000'000) && last.compare_exchange_strong(before, now);
}

// A share of this process, where one more is allowed.
ZoneRef find_place(Counters& counters, SharedZone& memory, const Limit& limit, std::string_view key, const ProcessId& self, std::int64_t now,
                   Counter*& counter, bool& full) {
  full = false;
  counter = counters.find(key);
  if (counter && sum(memory, *counter) >= limit.most) {
    const Key& of_zone = key_of(limit);
    Dead(of_zone, self, is_due(of_zone.asked, now)).bury(memory, *counter);
    if (sum(memory, *counter) >= limit.most) return drop_if_unused(counters, counter);
  }
  if (!counter) counter = counters.add(key);
  const ZoneRef share = counter ? share_of(memory, *counter, self) : 0;
  full = !share;
  return share ? share : drop_if_unused(counters, counter);
}

void clean_up(Counters& counters, SharedZone& memory, const Key& key, const ProcessId& self) {
  Dead dead(key, self, true);
  for (std::size_t left = counters.size(); left > 0; --left) {
    Counter* const oldest = counters.oldest();
    dead.bury(memory, *oldest);
    if (oldest->shares) counters.touch(oldest);
    else counters.remove(oldest);
  }
}

}  // namespace

Lease Lease::take(const Limit& limit, std::string_view key, const ProcessId& self, std::int64_t now, bool& full) {
  Lease lease;
  const Zone::Lock lock(*limit.zone);
  SharedZone& memory = limit.zone->memory();
  Counters counters(memory);
  Counter* counter = nullptr;
  ZoneRef share = find_place(counters, memory, limit, key, self, now, counter, full);
  if (full && is_due(key_of(limit).cleaned_up, now)) {
    clean_up(counters, memory, key_of(limit), self);
    share = find_place(counters, memory, limit, key, self, now, counter, full);
  }
  if (!share) return lease;
  ++memory.at<Share>(share)->count;
  lease.zone_ = limit.zone;
  lease.counter_ = memory.ref_of(counter);
  lease.share_ = share;
  lease.epoch_ = memory.epoch();
  return lease;
}

void Lease::release() {
  if (!zone_) return;
  const Zone::Lock lock(*zone_);
  SharedZone& memory = zone_->memory();
  if (memory.epoch() != epoch_) return;
  Counter& counter = *memory.at<Counter>(counter_);
  if (--memory.at<Share>(share_)->count == 0) remove_share(memory, counter, share_);
  if (!counter.shares) Counters(memory).remove(&counter);
}

}  // namespace seawall::limit_conn
