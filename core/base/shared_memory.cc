#include "seawall/base/shared_memory.h"

#include <sys/mman.h>

#include <cerrno>
#include <new>

#include "seawall/base/check.h"

namespace seawall {

SharedMemory::SharedMemory(std::size_t size)
    : size_(size), data_(::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) {
  if (data_ == MAP_FAILED) throw std::bad_alloc();
}

SharedMemory::~SharedMemory() { ::munmap(data_, size_); }

SharedMutex::SharedMutex() {
  pthread_mutexattr_t shared;
  ::pthread_mutexattr_init(&shared);
  ::pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
  ::pthread_mutexattr_setrobust(&shared, PTHREAD_MUTEX_ROBUST);
  CHECK(::pthread_mutex_init(&mutex_, &shared) == 0);
  ::pthread_mutexattr_destroy(&shared);
}

bool SharedMutex::lock() {
  const int result = ::pthread_mutex_lock(&mutex_);
  if (result == 0) return true;
  CHECK(result == EOWNERDEAD);
  CHECK(::pthread_mutex_consistent(&mutex_) == 0);
  return false;
}

void SharedMutex::unlock() { CHECK(::pthread_mutex_unlock(&mutex_) == 0); }

}  // namespace seawall
