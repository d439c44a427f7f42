#include "cpu.h"

#include <sched.h>
#include <signal.h>
#include <time.h>

#include <atomic>
#include <cerrno>
#include <map>
#include <system_error>

#include "stack.h"

namespace seawall::profile {
namespace {

// SIGPROF is LuaJIT's own profiler's.
int sampling_signal() { return SIGRTMIN + 5; }

std::int64_t time_now() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

// A signal may come late, after the end of a profile: whoever holds this counts as busy until the handler has returned.
std::atomic<bool> taken{false};
std::atomic<int> busy{0};

}  // namespace

// One thread's, written by its signal handler alone: room for all is there before the first.
class CpuSampling::Samples {
 public:
  explicit Samples(std::size_t most) : words_(new std::uintptr_t[most * (kDeepest + 1)]), most_(most) {}
  void add(const void* context) {
    const std::size_t n = count_.load(std::memory_order_relaxed);
    if (n == most_) return;
    std::uintptr_t frames[kDeepest];
    const std::size_t depth = interrupted_stack(context, frames);
    std::uintptr_t* const to = &words_[n * (kDeepest + 1)];
    to[0] = depth;
    std::copy(frames, frames + depth, to + 1);
    count_.store(n + 1, std::memory_order_release);
  }
  template <class F>
  void each(F visit) const {
    for (std::size_t i = 0; i < count_.load(std::memory_order_acquire); ++i) {
      const std::uintptr_t* const from = &words_[i * (kDeepest + 1)];
      visit(std::vector<std::uintptr_t>(from + 1, from + 1 + from[0]));
    }
  }

 private:
  const std::unique_ptr<std::uintptr_t[]> words_;  // pages that are not used are never there
  const std::size_t most_;
  std::atomic<std::size_t> count_{0};
};

namespace {

std::atomic<CpuSampling*> present{nullptr};

}  // namespace

void CpuSampling::on_signal(int, siginfo_t* info, void* context) {
  const int error = errno;
  ++busy;
  if (CpuSampling* const sampling = present.load()) {
    const auto thread = static_cast<std::size_t>(info->si_value.sival_int);
    if (thread < sampling->samples_.size()) sampling->samples_[thread]->add(context);
  }
  --busy;
  errno = error;
}

std::unique_ptr<CpuSampling> CpuSampling::begin(std::vector<LoopThread> threads, Milliseconds at_most) {
  if (taken.exchange(true)) return nullptr;
  try {
    return std::unique_ptr<CpuSampling>(new CpuSampling(std::move(threads), at_most));
  } catch (...) {
    taken = false;
    throw;
  }
}

CpuSampling::CpuSampling(std::vector<LoopThread> threads, Milliseconds at_most) : threads_(std::move(threads)), began_(time_now()) {
  prepare_stacks();
  struct sigaction action {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  ::sigaction(sampling_signal(), &action, nullptr);  // stays: a signal may come late
  const auto most = static_cast<std::size_t>(std::chrono::nanoseconds(at_most).count() / kCpuPeriod + 100);
  for (std::size_t i = 0; i < threads_.size(); ++i) samples_.push_back(std::make_unique<Samples>(most));
  present = this;
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    clockid_t clock;
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = sampling_signal();
    event.sigev_value.sival_int = static_cast<int>(i);
    event._sigev_un._tid = threads_[i].id;
    timer_t timer;
    const int no_clock = ::pthread_getcpuclockid(threads_[i].thread, &clock);
    if (no_clock != 0 || ::timer_create(clock, &event, &timer) < 0) {
      const int error = no_clock ? no_clock : errno;
      stop();
      throw std::system_error(error, std::generic_category(), "timer_create()");
    }
    timers_.push_back(timer);
    const timespec period{0, kCpuPeriod};
    const itimerspec every{period, period};
    ::timer_settime(timer, 0, &every, nullptr);
  }
}

CpuSampling::~CpuSampling() {
  stop();
  taken = false;
}

void CpuSampling::stop() {
  for (const timer_t timer : timers_) ::timer_delete(timer);
  timers_.clear();
  present = nullptr;
  while (busy) ::sched_yield();  // another thread's handler, which waits for nobody
}

ProfileData CpuSampling::finish() {
  stop();
  ProfileData data;
  data.types = {{"samples", "count"}, {"cpu", "nanoseconds"}};
  data.shown = 1;
  data.period_type = {"cpu", "nanoseconds"};
  data.period = kCpuPeriod;
  data.time = began_;
  data.duration = time_now() - began_;
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    std::map<std::vector<std::uintptr_t>, std::int64_t> counts;
    samples_[i]->each([&](std::vector<std::uintptr_t> stack) { ++counts[std::move(stack)]; });
    for (const auto& [addresses, n] : counts) {
      Stack& stack = data.stacks.emplace_back();
      stack.addresses = addresses;
      stack.values = {n, n * kCpuPeriod};
      stack.loop = threads_[i].number;
    }
  }
  return data;
}

}  // namespace seawall::profile
