// Memory that this process and all that it forks see alike, and a lock that works among them: what loops and generations
// share (sessions, ticket keys). Any thread; the memory lives as long as one process maps it.
#pragma once
#include <pthread.h>

#include <cstddef>

#include "seawall/base/export.h"

namespace seawall {

// Zeroed pages, shared over fork. Throws std::bad_alloc.
class SEAWALL_API SharedMemory {
 public:
  explicit SharedMemory(std::size_t size);
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;
  void* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  const std::size_t size_;
  void* data_;
};

// A lock that lives inside such memory and survives the death of a process that holds it.
class SEAWALL_API SharedMutex {
 public:
  SharedMutex();
  // False: whoever held it has died, and what it guards may be half written. It is held either way.
  [[nodiscard]] bool lock();
  void unlock();

 private:
  pthread_mutex_t mutex_;
};

// Holds the lock for a block. `intact` is what lock() said.
class SharedLock {
 public:
  explicit SharedLock(SharedMutex& mutex) : mutex_(mutex), intact(mutex.lock()) {}
  ~SharedLock() { mutex_.unlock(); }
  SharedLock(const SharedLock&) = delete;
  SharedLock& operator=(const SharedLock&) = delete;

 private:
  SharedMutex& mutex_;

 public:
  const bool intact;
};

}  // namespace seawall
