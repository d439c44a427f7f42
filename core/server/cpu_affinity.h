// CpuAffinity: worker_cpu_affinity, the processors that each loop's thread is bound to. Made at start-up, read by each loop's
// thread.
#pragma once
#include <sched.h>

#include <optional>
#include <vector>

#include "seawall/config/directive.h"

namespace seawall {

class CpuAffinity {
 public:
  // ConfigError in nginx's wording.
  static CpuAffinity parse(const Invocation& in);

  // Of the loop with this number; nothing: it runs where the system lets it.
  std::optional<cpu_set_t> of(int loop) const;
  // One mask for each of so many loops, or one for all.
  bool fits(int loops) const { return spread_ || masks_.size() <= 1 || masks_.size() == static_cast<std::size_t>(loops); }

 private:
  std::vector<cpu_set_t> masks_;
  bool spread_ = false;  // auto: loops take turns on the processors of the one mask
};

}  // namespace seawall
