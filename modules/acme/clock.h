// Clock: what time it is, for whatever the client decides by dates. A setting, so that in a test a year passes in seconds; how long
// it waits for an answer goes by the steady clock. Any thread.
#pragma once
#include <cstdint>
#include <ctime>

namespace seawall::acme {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual std::int64_t now() const { return std::time(nullptr); }  // seconds since 1970
};

}  // namespace seawall::acme
