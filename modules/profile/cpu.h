// CpuSampling: what the loops' threads are at, every so often of their own CPU time: a timer of the kernel for each thread, whose
// signal's handler writes the stack down. One at a time in the process; ends with the object. Made and read by one loop.
#pragma once
#include <memory>
#include <vector>

#include "loops.h"
#include "profile_data.h"

namespace seawall::profile {

inline constexpr std::int64_t kCpuPeriod = 10'000'000;  // ns

class CpuSampling {
 public:
  // Null: there is one already. Of these threads, for at most so long.
  static std::unique_ptr<CpuSampling> begin(std::vector<LoopThread> threads, Milliseconds at_most);
  ~CpuSampling();
  CpuSampling(const CpuSampling&) = delete;
  CpuSampling& operator=(const CpuSampling&) = delete;

  // Ends the sampling.
  ProfileData finish();

 private:
  class Samples;
  class Timers;
  CpuSampling(std::vector<LoopThread> threads, Milliseconds at_most);
  void stop();
  static void on_signal(int, siginfo_t* info, void* context);

  const std::vector<LoopThread> threads_;
  std::vector<std::unique_ptr<Samples>> samples_;  // of each thread
  std::vector<timer_t> timers_;
  const std::int64_t began_;
};

}  // namespace seawall::profile
