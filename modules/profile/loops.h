// The loops of this process, for who profiles all of them or one: their threads, and a way to run something there. Any thread.
#pragma once
#include <pthread.h>
#include <sys/types.h>

#include <functional>
#include <vector>

#include "seawall/async/event.h"
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

// Loop::post() for a loop that may have ended meanwhile, as each does by itself when the server is told to stop at once: then nothing.
void post_to(Loop& there, std::function<void()> fn);

// Runs fn on the loop's thread, between its tasks, and waits until it has. Errc::timed_out or cancelled: it may run later; what it uses
// is its own.
Task<Errc> run_on(Loop& there, std::function<void()> fn, Deadline deadline);

}  // namespace seawall::profile
