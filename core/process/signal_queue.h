// SignalQueue: the signals that a supervisor hears, one by one; those that come while it waits for something else are kept.
// Supervisor thread.
#pragma once
#include <chrono>
#include <deque>

#include "seawall/base/fd.h"

namespace seawall {

class SignalQueue {
 public:
  // std::runtime_error. The signals must be blocked (process/signals.h).
  SignalQueue();

  int fd() const { return fd_.get(); }  // readable: one has come
  bool has_kept() const { return !kept_.empty(); }
  // The next; 0: none is there now.
  int next();
  // Until `other` can be read: true. False: the time is over, or the server is to end.
  bool wait_for(int other, std::chrono::steady_clock::time_point until);
  // In a child: closes what is the supervisor's.
  void leave() { fd_.reset(); }

 private:
  int read() const;
  bool ends_soon() const;
  Fd fd_;
  std::deque<int> kept_;
};

}  // namespace seawall
