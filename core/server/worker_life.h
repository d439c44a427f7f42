// When this worker serves, and when it is to end: for tasks of modules of which only one may run at a time, in the newest worker that
// serves (ACME). The first loop's; each Event has one waiter.
#pragma once
#include <deque>

#include "seawall/async/event.h"
#include "seawall/base/export.h"

namespace seawall {

class SEAWALL_API WorkerLife {
 public:
  static WorkerLife& ours();

  // A task of this kind, made on the first loop before it runs; lives as long as the process.
  class Stages {
   public:
    Event serves;   // all loops accept
    Event retires;  // another worker takes over, or the server ends
  };
  Stages& join() { return all_.emplace_back(); }

  void serve();
  void retire();

 private:
  std::deque<Stages> all_;
};

}  // namespace seawall
