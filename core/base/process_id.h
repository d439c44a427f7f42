// ProcessId: one process for good: a pid that is used again later is another. What is written into shared memory by a process
// can so be told from what is left of a dead one. Plain data; any thread.
#pragma once
#include <sys/types.h>

#include <cstdint>

#include "seawall/base/export.h"

namespace seawall {

class SEAWALL_API ProcessId {
 public:
  static ProcessId current();  // asks the system: keep it
  // False once it has ended. Where the system does not tell when a process began (no /proc), any process of its pid counts.
  bool alive() const;
  bool operator==(const ProcessId& other) const = default;

  pid_t pid = 0;
  std::uint32_t unused = 0;
  std::uint64_t started = 0;  // ticks since the machine's start; 0: not known
};

}  // namespace seawall
