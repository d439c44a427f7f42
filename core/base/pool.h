// Memory of a request's short-lived objects: coroutine frames, exchanges. Freed blocks are kept by size for the next request
// of the same thread, up to a bound, so that malloc splits and merges nothing between two requests. Under AddressSanitizer
// nothing is kept: it shall see every use after the end.
#pragma once
#include <cstddef>

#include "seawall/base/export.h"

namespace seawall {

// Aligned as by operator new; std::bad_alloc. The size must be given again to free it, on whichever thread.
SEAWALL_API void* pool_allocate(std::size_t size);
SEAWALL_API void pool_free(void* memory, std::size_t size) noexcept;

// For classes that live as long: their objects, and those of classes derived from them, lie in the pool. What is deleted by a base
// class needs its virtual destructor, as ever.
class Pooled {
 public:
  static void* operator new(std::size_t size) { return pool_allocate(size); }
  static void operator delete(void* memory, std::size_t size) noexcept { pool_free(memory, size); }
};

// For containers that live as long.
template <class T>
class PoolAllocator {
 public:
  using value_type = T;
  PoolAllocator() = default;
  template <class U>
  PoolAllocator(const PoolAllocator<U>&) noexcept {}
  T* allocate(std::size_t n) { return static_cast<T*>(pool_allocate(n * sizeof(T))); }
  void deallocate(T* memory, std::size_t n) noexcept { pool_free(memory, n * sizeof(T)); }
  bool operator==(const PoolAllocator&) const = default;
};

}  // namespace seawall
