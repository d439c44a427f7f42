#include "seawall/base/pool.h"

#include <cstdlib>
#include <new>
#include <utility>

namespace seawall {
namespace {

constexpr std::size_t kStep = 64;          // between two sizes
constexpr std::size_t kSizes = 64;         // up to 4 KiB; larger ones are malloc's
constexpr std::size_t kMost = 512 * 1024;  // kept by one thread

#ifdef __SANITIZE_ADDRESS__
constexpr bool kKeeps = false;
#else
constexpr bool kKeeps = true;
#endif

struct Freed {
  Freed* next;
};

class Pool {
 public:
  ~Pool() {
    for (Freed* freed : lists_)
      while (freed) std::free(std::exchange(freed, freed->next));
    full_ = kMost;  // what other destructors of the thread free later is not kept
  }
  void* take(std::size_t index) {
    Freed* const freed = lists_[index];
    if (!freed) return nullptr;
    lists_[index] = freed->next;
    full_ -= (index + 1) * kStep;
    return freed;
  }
  bool keep(void* memory, std::size_t index) {
    const std::size_t size = (index + 1) * kStep;
    if (full_ + size > kMost) return false;
    full_ += size;
    lists_[index] = new (memory) Freed{lists_[index]};
    return true;
  }

 private:
  Freed* lists_[kSizes] = {};
  std::size_t full_ = 0;
};
thread_local Pool pool;

std::size_t index_of(std::size_t size) { return (size - 1) / kStep; }

}  // namespace

void* pool_allocate(std::size_t size) {
  const std::size_t index = index_of(size);
  if (kKeeps && index < kSizes) {
    if (void* kept = pool.take(index)) return kept;
    size = (index + 1) * kStep;
  }
  void* memory = std::malloc(size);
  if (!memory) throw std::bad_alloc();
  return memory;
}

void pool_free(void* memory, std::size_t size) noexcept {
  const std::size_t index = index_of(size);
  if (kKeeps && index < kSizes && pool.keep(memory, index)) return;
  std::free(memory);
}

}  // namespace seawall
