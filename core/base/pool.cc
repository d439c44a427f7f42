#include "seawall/base/pool.h"

#include <cstdlib>
#include <new>
#include <utility>

#include "seawall/base/allocation.h"

namespace seawall {
namespace {

constexpr std::size_t kStep = 64;          // between two sizes
constexpr std::size_t kSizes = 272;        // up to 17 KiB: reads of 16 KiB, and the head of their block; larger ones are malloc's
constexpr std::size_t kSmall = 64;         // the first ones, up to 4 KiB: buffers shall not take the room of frames
constexpr std::size_t kMost = 512 * 1024;  // kept by one thread of each, the small and the large

#ifdef __SANITIZE_ADDRESS__
constexpr bool kKeeps = false;
#else
constexpr bool kKeeps = true;
#endif

struct Freed {
  Freed* next;
};

// Without a destructor: what other destructors of the thread free after the end of the pool finds that it has no room.
struct Pool {
  Freed* lists[kSizes];
  std::size_t room[2];  // how much more it would keep, of small ones and large ones; none before it is opened and after it is closed
  bool opened;
};
constinit thread_local Pool pool{};

void give_back(void* memory) {
  note_release(memory);
  std::free(memory);
}

// Empties and closes the thread's pool at its end.
class Closer {
 public:
  ~Closer() {
    pool.room[0] = pool.room[1] = 0;
    for (Freed*& list : pool.lists)
      while (list) give_back(std::exchange(list, list->next));
  }
};

std::size_t index_of(std::size_t size) { return (size - 1) / kStep; }
std::size_t size_of(std::size_t index) { return (index + 1) * kStep; }

// Null: there is none.
inline void* take(std::size_t index, std::size_t& room) {
  Freed* const freed = pool.lists[index];
  if (!freed) return nullptr;
  pool.lists[index] = freed->next;
  room += size_of(index);
  return freed;
}

// False: there is no room for it.
inline bool keep(void* memory, std::size_t index, std::size_t& room) {
  if (room < size_of(index)) return false;
  room -= size_of(index);
  pool.lists[index] = new (memory) Freed{pool.lists[index]};
  return true;
}

// What the short ways below do not settle: they are short because they call nothing but these, as their last step.
[[gnu::noinline]] void* allocate_slowly(std::size_t index, std::size_t size) {
  if (kKeeps && index < kSizes) {
    if (void* kept = take(index, pool.room[index >= kSmall])) return kept;
    size = size_of(index);
  }
  void* memory = std::malloc(size);
  if (!memory) throw std::bad_alloc();
  note_allocation(memory, size);
  return memory;
}

// The first free of a thread opens its pool; what else comes here is large or too much.
[[gnu::noinline]] void free_slowly(void* memory, std::size_t index) noexcept {
  if (kKeeps && !pool.opened) {
    static thread_local const Closer closer;
    pool.opened = true;
    pool.room[0] = pool.room[1] = kMost;
  }
  if (index < kSizes && keep(memory, index, pool.room[index >= kSmall])) return;
  give_back(memory);
}

}  // namespace

void* pool_allocate(std::size_t size) {
  const std::size_t index = index_of(size);
  if (index < kSmall) [[likely]]
    if (void* const kept = take(index, pool.room[0])) [[likely]] return kept;
  return allocate_slowly(index, size);
}

void pool_free(void* memory, std::size_t size) noexcept {
  const std::size_t index = index_of(size);
  if (index < kSmall && keep(memory, index, pool.room[0])) [[likely]] return;
  free_slowly(memory, index);
}

}  // namespace seawall
