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

// Without a destructor: what other destructors of the thread free after the end of the pool still finds `closed`.
struct Pool {
  Freed* lists[kSizes];
  std::size_t full;
  bool closed;
};
constinit thread_local Pool pool{};

// Empties and closes the thread's pool at its end.
class Closer {
 public:
  ~Closer() {
    pool.closed = true;
    for (Freed*& list : pool.lists)
      while (list) std::free(std::exchange(list, list->next));
  }
};

std::size_t index_of(std::size_t size) { return (size - 1) / kStep; }
std::size_t size_of(std::size_t index) { return (index + 1) * kStep; }

void* take(std::size_t index) {
  Freed* const freed = pool.lists[index];
  if (!freed) return nullptr;
  pool.lists[index] = freed->next;
  pool.full -= size_of(index);
  return freed;
}

bool keep(void* memory, std::size_t index) {
  if (pool.closed || pool.full + size_of(index) > kMost) return false;
  static thread_local const Closer closer;
  pool.full += size_of(index);
  pool.lists[index] = new (memory) Freed{pool.lists[index]};
  return true;
}

}  // namespace

void* pool_allocate(std::size_t size) {
  const std::size_t index = index_of(size);
  if (kKeeps && index < kSizes) {
    if (void* kept = take(index)) return kept;
    size = size_of(index);
  }
  void* memory = std::malloc(size);
  if (!memory) throw std::bad_alloc();
  return memory;
}

void pool_free(void* memory, std::size_t size) noexcept {
  const std::size_t index = index_of(size);
  if (kKeeps && index < kSizes && keep(memory, index)) return;
  std::free(memory);
}

}  // namespace seawall
