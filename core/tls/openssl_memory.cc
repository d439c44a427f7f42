#include "seawall/tls/openssl_memory.h"

#include <openssl/crypto.h>

#include <cstdlib>

#include "seawall/base/allocation.h"
#include "seawall/base/check.h"

namespace seawall {
namespace {

void* allocate(std::size_t size, const char*, int) {
  void* const memory = std::malloc(size);
  if (memory) note_allocation(memory, size);
  return memory;
}

void release(void* memory, const char*, int) {
  note_release(memory);
  std::free(memory);
}

void* reallocate(void* memory, std::size_t size, const char*, int) {
  note_release(memory);
  void* const larger = std::realloc(memory, size);
  if (larger) note_allocation(larger, size);
  return larger;
}

}  // namespace

void watch_openssl_memory() { CHECK(CRYPTO_set_mem_functions(allocate, reallocate, release) == 1); }

}  // namespace seawall
