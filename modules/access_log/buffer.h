// Buffer: lines of one buffered log that one loop holds back, until there is no room for the next or until flush= has passed
// since the first. Lives on its loop; flush() comes from any thread.
#pragma once
#include <mutex>
#include <string>
#include <string_view>

#include "conf.h"
#include "seawall/async/scheduler.h"

namespace seawall::access_log {

class Buffer : private Timer {
 public:
  explicit Buffer(std::shared_ptr<const Destination> to);
  ~Buffer();  // writes what is left

  void append(std::string_view line);
  void flush();

 private:
  static void due(Timer& timer) { static_cast<Buffer&>(timer).flush(); }
  void write(std::string_view lines);

  const std::shared_ptr<const Destination> to_;
  std::mutex mutex_;
  std::string lines_;
  HeldLines held_{[this] { flush(); }};
};

}  // namespace seawall::access_log
