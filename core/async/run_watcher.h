// RunWatcher: who looks on while a thread works (Scheduler::set_watcher): of each turn of its loop, what took how long.
#pragma once
#include <coroutine>
#include <cstdint>

namespace seawall {

class RunWatcher {
 public:
  // Is to resume it: what was waited for has happened. It may have ended afterwards.
  virtual void resume(std::coroutine_handle<> waiting) = 0;
  // A turn: its wait ended then (CLOCK_MONOTONIC); a part of its callbacks has been run; all is done. Either may come without the
  // others: of the turn in which the watching began or ended.
  virtual void woken(std::int64_t when) = 0;
  virtual void did(const char* part) = 0;
  virtual void turned() = 0;

 protected:
  ~RunWatcher() = default;
};

}  // namespace seawall
