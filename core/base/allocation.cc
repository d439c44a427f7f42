#include "seawall/base/allocation.h"

#include <cmath>
#include <cstdlib>
#include <new>

namespace seawall {

namespace allocation {

std::atomic<AllocationSampler*> sampler{nullptr};
std::array<std::atomic<std::uint8_t>, 1 << 14> marks{};

namespace {

std::atomic<std::size_t> mean_bytes{0};

// The distance to the next sample in bytes is exponentially distributed: no rhythm of the program can hide from it.
class Countdown {
 public:
  bool takes(std::size_t size) {
    if (!begun_) restart();
    left_ -= static_cast<std::int64_t>(size);
    if (left_ >= 0) return false;
    restart();
    return true;
  }
  bool busy = false;  // with a sample

 private:
  void restart() {
    if (!begun_) state_ = reinterpret_cast<std::uintptr_t>(this) | 1;
    begun_ = true;
    state_ ^= state_ << 13, state_ ^= state_ >> 7, state_ ^= state_ << 17;
    const double uniform = (static_cast<double>(state_ >> 11) + 1) / 9007199254740993.0;
    left_ = static_cast<std::int64_t>(-std::log(uniform) * static_cast<double>(mean_bytes.load(std::memory_order_relaxed)));
  }
  std::uint64_t state_ = 0;
  std::int64_t left_ = 0;
  bool begun_ = false;
};
constinit thread_local Countdown countdown;

constexpr std::uint8_t kFull = 255;  // a mark that has been there stays

void add_to_mark(const void* memory, int change) {
  auto& mark = marks[mark_of(memory)];
  std::uint8_t n = mark.load(std::memory_order_relaxed);
  while (n != kFull && !mark.compare_exchange_weak(n, static_cast<std::uint8_t>(n + change), std::memory_order_relaxed)) {}
}

}  // namespace

void noted(const void* memory, std::size_t size) noexcept {
  if (countdown.busy || !countdown.takes(size)) return;
  countdown.busy = true;
  if (sampler.load(std::memory_order_relaxed)->sampled(memory, size)) add_to_mark(memory, 1);
  countdown.busy = false;
}

void released(const void* memory) noexcept {
  if (countdown.busy) return;
  countdown.busy = true;
  if (sampler.load(std::memory_order_relaxed)->released(memory)) add_to_mark(memory, -1);
  countdown.busy = false;
}

}  // namespace allocation

void sample_allocations(AllocationSampler& sampler, std::size_t mean) {
  allocation::mean_bytes.store(mean, std::memory_order_relaxed);
  allocation::sampler.store(&sampler, std::memory_order_release);
}

}  // namespace seawall

// The sanitizers have their own, which know more; what they allocate is not sampled.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
SEAWALL_API void* operator new(std::size_t size) {
  for (;;) {
    if (void* const memory = std::malloc(size ? size : 1)) [[likely]] {
      seawall::note_allocation(memory, size);
      return memory;
    }
    const std::new_handler handler = std::get_new_handler();
    if (!handler) throw std::bad_alloc();
    handler();
  }
}
SEAWALL_API void operator delete(void* memory) noexcept {
  seawall::note_release(memory);
  std::free(memory);
}
SEAWALL_API void operator delete(void* memory, std::size_t) noexcept {
  seawall::note_release(memory);
  std::free(memory);
}
#endif
