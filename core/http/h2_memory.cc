#include "seawall/http/h2_memory.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>

#include "seawall/base/pool.h"

namespace seawall {
namespace {

// nghttp2 frees without saying how much: it is written in front of the block.
struct alignas(std::max_align_t) Size {
  std::size_t value;
};

void* allocate(std::size_t size, void*) {
  try {
    void* const memory = pool_allocate(size + sizeof(Size));
    return new (memory) Size{size} + 1;
  } catch (const std::bad_alloc&) {
    return nullptr;  // a C library: it reports NGHTTP2_ERR_NOMEM
  }
}

Size* size_of(void* memory) { return static_cast<Size*>(memory) - 1; }

void release(void* memory, void*) {
  if (memory) pool_free(size_of(memory), size_of(memory)->value + sizeof(Size));
}

void* allocate_zeroed(std::size_t count, std::size_t size, void*) {
  void* const memory = allocate(count * size, nullptr);
  return memory ? std::memset(memory, 0, count * size) : nullptr;
}

void* reallocate(void* memory, std::size_t size, void*) {
  void* const larger = allocate(size, nullptr);
  if (!larger || !memory) return larger;
  std::memcpy(larger, memory, std::min(size, size_of(memory)->value));
  release(memory, nullptr);
  return larger;
}

}  // namespace

nghttp2_mem* h2_memory() {
  static nghttp2_mem functions{nullptr, allocate, release, allocate_zeroed, reallocate};
  return &functions;
}

}  // namespace seawall
