// Stop: ends work on other threads, also within its waits. Any thread.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "error.h"

namespace seawall::acme {

class Stop {
 public:
  void set() {
    {
      const std::lock_guard lock(mutex_);
      set_ = true;
    }
    changed_.notify_all();
  }
  bool is_set() const { return set_; }
  // Stopped: it was set before the time was over.
  void sleep(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, time, [&] { return set_.load(); })) throw Stopped();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<bool> set_ = false;
};

}  // namespace seawall::acme
