// What is counted of each request, by server and location: when it is over, on its loop. Loops count beside each other, all
// generations in the same memory, and collect() adds up. A reload loses nothing of it; a change of binary begins anew.
#pragma once
#include <unordered_map>

#include "seawall/base/shared_table.h"
#include "seawall/module/module.h"

namespace seawall::metrics {

// Makes the memory; start-up thread, before the worker is forked.
void prepare_recording();

// One loop's way to the counts of locations.
class Recorder {
 public:
  explicit Recorder(int loop) : loop_(loop) {}
  void record(const Exchange& x);

 private:
  SharedCount* counts_of(const Exchange& x);
  const int loop_;
  std::unordered_map<const Location*, SharedCount*> known_;
  const Location* last_ = nullptr;  // the next request's mostly, too
  SharedCount* last_counts_ = nullptr;
};

void collect_requests(Gathering& out);

}  // namespace seawall::metrics
