// Sampled allocations: by which stacks, how much in all and how much of it is in use. From the start of the worker on; any thread.
#pragma once
#include "profile_data.h"

namespace seawall::profile {

inline constexpr std::size_t kHeapPeriod = 512 * 1024;  // bytes between two samples, on average

// In a worker whose configuration has a profiler; once is enough.
void begin_heap_sampling();
ProfileData heap_profile();

}  // namespace seawall::profile
