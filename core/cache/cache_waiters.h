// CacheWaiters: requests of this process that wait for another one to fetch the same response. Any thread.
//
//   CacheWaiter waiter(hash);                  // before the last look
//   co_await waiter.wait(Deadline::in(...));   // ok: something has happened; look again
#pragma once
#include <memory>

#include "seawall/async/event.h"
#include "seawall/cache/cache_hash.h"

namespace seawall {

class Loop;

class SEAWALL_API CacheWaiters {
 public:
  // All that wait for this entry look again.
  static void wake(const CacheHash& hash);
};

// One of them; lives on its loop.
class SEAWALL_API CacheWaiter {
 public:
  explicit CacheWaiter(const CacheHash& hash);
  ~CacheWaiter();
  CacheWaiter(const CacheWaiter&) = delete;
  CacheWaiter& operator=(const CacheWaiter&) = delete;
  Task<Errc> wait(Deadline deadline);

 private:
  friend class CacheWaiters;
  const CacheHash hash_;
  Loop& loop_;
  const std::shared_ptr<Event> event_;  // the other owner: a wake-up on its way
};

}  // namespace seawall
