// The loops of this process, for who profiles all of them or one: their threads. Any thread.
#pragma once
#include <pthread.h>
#include <sys/types.h>

#include <vector>

#include "seawall/module/module.h"

namespace seawall::profile {

class LoopThread {
 public:
  Loop* loop;
  int number;
  pthread_t thread;
  pid_t id;
};

// Registers the calling thread's loop while it lives: a worker's loops end together, after their last request.
class RegisteredLoop {
 public:
  explicit RegisteredLoop(Loop& loop);
  ~RegisteredLoop();
  RegisteredLoop(const RegisteredLoop&) = delete;
  RegisteredLoop& operator=(const RegisteredLoop&) = delete;

 private:
  Loop& loop_;
};

std::vector<LoopThread> all_loops();

}  // namespace seawall::profile
