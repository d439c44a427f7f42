// Allocations that a profiler samples: operator new of the process and all its modules, the pool, OpenSSL and Lua tell of theirs.
// Nobody samples unless a profiler is configured: then this is one branch each. Any thread.
#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "seawall/base/export.h"

namespace seawall {

// Who hears of samples. It may allocate: what it does is not sampled.
class AllocationSampler {
 public:
  virtual ~AllocationSampler() = default;
  // One allocation, chosen so that each byte is as likely to choose it: once in `mean` bytes. True: its end is to be told.
  virtual bool sampled(const void* memory, std::size_t size) noexcept = 0;
  // Of such memory, or of other memory that looks like it: false.
  virtual bool released(const void* memory) noexcept = 0;
};

namespace allocation {

extern SEAWALL_API std::atomic<AllocationSampler*> sampler;
extern SEAWALL_API std::array<std::atomic<std::uint8_t>, 1 << 14> marks;  // how many sampled ones there are, by the address's hash

inline std::size_t mark_of(const void* memory) {
  return static_cast<std::size_t>(reinterpret_cast<std::uintptr_t>(memory) * 0x9e3779b97f4a7c15u >> 50);
}
SEAWALL_API void noted(const void* memory, std::size_t size) noexcept;
SEAWALL_API void released(const void* memory) noexcept;

}  // namespace allocation

inline void note_allocation(const void* memory, std::size_t size) noexcept {
  if (allocation::sampler.load(std::memory_order_relaxed)) [[unlikely]] allocation::noted(memory, size);
}
// Before the memory is free: it may be somebody else's at once.
inline void note_release(const void* memory) noexcept {
  if (allocation::sampler.load(std::memory_order_relaxed) &&
      allocation::marks[allocation::mark_of(memory)].load(std::memory_order_relaxed)) [[unlikely]]
    allocation::released(memory);
}

// From now on, for good: `sampler` is never destroyed. One in about `mean` bytes is sampled.
SEAWALL_API void sample_allocations(AllocationSampler& sampler, std::size_t mean);

}  // namespace seawall
