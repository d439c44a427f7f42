#include "seawall/cache/cache_waiters.h"

#include <map>
#include <mutex>

#include "seawall/net/loop.h"

namespace seawall {
namespace {

struct Less {
  bool operator()(const CacheHash& a, const CacheHash& b) const { return a.bytes < b.bytes; }
};

class Table {
 public:
  std::mutex mutex;
  std::multimap<CacheHash, CacheWaiter*, Less> waiters;
};

Table& table() {
  static Table all;
  return all;
}

}  // namespace

void CacheWaiters::wake(const CacheHash& hash) {
  Table& all = table();
  const std::lock_guard lock(all.mutex);
  const auto [first, last] = all.waiters.equal_range(hash);
  for (auto at = first; at != last; ++at)
    at->second->loop_.post([event = at->second->event_] { event->set(); });
}

CacheWaiter::CacheWaiter(const CacheHash& hash) : hash_(hash), loop_(Loop::current()), event_(std::make_shared<Event>()) {
  Table& all = table();
  const std::lock_guard lock(all.mutex);
  all.waiters.emplace(hash_, this);
}

CacheWaiter::~CacheWaiter() {
  Table& all = table();
  const std::lock_guard lock(all.mutex);
  const auto [first, last] = all.waiters.equal_range(hash_);
  for (auto at = first; at != last; ++at) {
    if (at->second != this) continue;
    all.waiters.erase(at);
    return;
  }
}

Task<Errc> CacheWaiter::wait(Deadline deadline) {
  const Errc waited = co_await event_->wait(deadline);
  event_->reset();
  co_return waited;
}

}  // namespace seawall
