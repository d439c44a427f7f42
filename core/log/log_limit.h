// LogLimit: at most so many lines of one kind in a time, for one error_log (rate=). A kind is what a message is without its numbers
// and what stands in quotes, so that `open() "/a" failed (2: ...)` of every path is one. What was left out is told with the next
// line that goes. Any thread.
#pragma once
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "seawall/log/log.h"

namespace seawall {

class LogLimit {
 public:
  // `window` in nanoseconds.
  LogLimit(std::uint64_t most, std::int64_t window) : most_(most), window_(window) {}

  // May the line go? [crit] and worse always may. `now`: nanoseconds, monotonic.
  bool takes(Level level, std::string_view message, std::int64_t now);

  // What has been left out in times that are over, once.
  class LeftOut {
   public:
    Level level;
    std::string text;  // a message of its own
  };
  std::vector<LeftOut> take_left_out(std::int64_t now);

 private:
  class Kind {
   public:
    std::int64_t begun = 0;
    std::uint64_t lines = 0;
    Level level = Level::error;
    std::string example;
  };
  Kind& kind_of(std::string_view message, std::int64_t now);
  void tell(const Kind& kind);

  const std::uint64_t most_;
  const std::int64_t window_;
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, Kind> kinds_;
  Kind rest_;  // of those that found no place: who can make up kinds cannot make up more than that
  std::vector<LeftOut> left_out_;
  std::int64_t looked_ = 0;
};

}  // namespace seawall
