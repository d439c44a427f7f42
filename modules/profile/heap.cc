#include "heap.h"

#include <cmath>
#include <ctime>
#include <map>
#include <mutex>
#include <unordered_map>

#include "seawall/base/allocation.h"
#include "stack.h"

namespace seawall::profile {
namespace {

constexpr std::size_t kMostStacks = 20'000;

// What one stack has allocated: estimates, as each sample stands for all that were as likely.
class Totals {
 public:
  double objects = 0, bytes = 0, live_objects = 0, live_bytes = 0;
};
using Stacks = std::map<std::vector<std::uintptr_t>, Totals>;

class HeapSampler final : public AllocationSampler {
 public:
  bool sampled(const void* memory, std::size_t size) noexcept override {
    std::uintptr_t frames[kDeepest];
    const std::size_t depth = own_stack(frames);
    const double likely = 1 - std::exp(-static_cast<double>(size) / static_cast<double>(kHeapPeriod));
    const std::lock_guard lock(mutex_);
    if (stacks_.size() >= kMostStacks) return false;
    try {
      const auto stack = stacks_.try_emplace({frames, frames + depth}).first;
      const Live live{stack, 1 / likely, static_cast<double>(size) / likely};
      if (!live_.emplace(memory, live).second) return false;  // another's, whose end is being told at this moment
      add(stack->second, live, 1);
      return true;
    } catch (const std::bad_alloc&) {
      return false;  // who is sampled may do without
    }
  }

  bool released(const void* memory) noexcept override {
    const std::lock_guard lock(mutex_);
    const auto known = live_.find(memory);
    if (known == live_.end()) return false;
    add(known->second.stack->second, known->second, -1);
    live_.erase(known);
    return true;
  }

  ProfileData data() const {
    ProfileData data;
    data.types = {{"alloc_objects", "count"}, {"alloc_space", "bytes"}, {"inuse_objects", "count"}, {"inuse_space", "bytes"}};
    data.shown = 3;
    data.period_type = {"space", "bytes"};
    data.period = static_cast<std::int64_t>(kHeapPeriod);
    data.time = std::time(nullptr) * 1'000'000'000LL;
    const std::lock_guard lock(mutex_);
    for (const auto& [addresses, totals] : stacks_) {
      Stack& stack = data.stacks.emplace_back();
      stack.addresses = addresses;
      for (const double value : {totals.objects, totals.bytes, totals.live_objects, totals.live_bytes})
        stack.values.push_back(std::max<std::int64_t>(0, std::llround(value)));
    }
    return data;
  }

 private:
  class Live {
   public:
    Stacks::iterator stack;
    double objects, bytes;
  };
  static void add(Totals& totals, const Live& live, int sign) {
    if (sign > 0) totals.objects += live.objects, totals.bytes += live.bytes;
    totals.live_objects += sign * live.objects;
    totals.live_bytes += sign * live.bytes;
  }

  mutable std::mutex mutex_;
  Stacks stacks_;
  std::unordered_map<const void*, Live> live_;
};

// Never destroyed: memory is released to the very end.
HeapSampler& sampler() {
  static HeapSampler& only = *new HeapSampler;
  return only;
}

}  // namespace

void begin_heap_sampling() {
  static std::once_flag once;
  std::call_once(once, [] {
    prepare_stacks();
    sample_allocations(sampler(), kHeapPeriod);
  });
}

ProfileData heap_profile() { return sampler().data(); }

}  // namespace seawall::profile
