// The keeper of a cache: tells the zone of the files that are there when it is new (nginx's loader), and removes what is old or too
// much (its manager). In the process's first loop, which only waits: the files are touched by a thread of its own.
#pragma once
#include <memory>
#include <vector>

#include "seawall/async/task.h"
#include "seawall/cache/cache_path.h"
#include "seawall/net/offload.h"

namespace seawall {

class SEAWALL_API CacheKeepers {
 public:
  // In the loop's scope, until that is cancelled. The paths outlive it.
  CacheKeepers(Loop& loop, const std::vector<std::shared_ptr<const CachePath>>& paths);

 private:
  ThreadPool threads_{1, 1000};
};

}  // namespace seawall
