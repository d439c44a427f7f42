// Stop: ends work on other threads, also within its waits. Any thread.
#pragma once
#include <sys/eventfd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <system_error>

#include "error.h"
#include "seawall/base/fd.h"

namespace seawall::acme {

class Stop {
 public:
  // std::system_error: no descriptor is to be had.
  Stop() : told_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!told_) throw std::system_error(errno, std::generic_category(), "eventfd()");
  }
  void set() {
    {
      const std::lock_guard lock(mutex_);
      set_ = true;
    }
    ::eventfd_write(told_.get(), 1);
    changed_.notify_all();
  }
  bool is_set() const { return set_; }
  int fd() const { return told_.get(); }  // can be read, and stays so, once it is set
  // Stopped: it was set before the time was over.
  void sleep(std::chrono::milliseconds time) {
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, time, [&] { return set_.load(); })) throw Stopped();
  }

 private:
  const Fd told_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<bool> set_ = false;
};

}  // namespace seawall::acme
