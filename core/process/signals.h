// Signals as events of a loop: blocked for the whole process and read from a signalfd. One loop.
#pragma once
#include <initializer_list>

#include "seawall/async/task.h"
#include "seawall/async/event.h"
#include "seawall/net/socket.h"

namespace seawall {

// Blocks these, and ignores SIGPIPE, for the calling thread and all it starts.
void block_signals();

class SignalWatch final : private EpollSource {
 public:
  explicit SignalWatch(std::initializer_list<int> signals);
  ~SignalWatch();
  // The next one; 0 when the scope was cancelled.
  Task<int> next();

 private:
  void on_events(std::uint32_t) override { readable_.set(); }
  Fd fd_;
  Event readable_;
};

}  // namespace seawall
