// The loops of this process, for who profiles all of them or one: their threads, and a way to run something there. Any thread.
#pragma once
#include <pthread.h>
#include <sys/types.h>

#include <functional>
#include <memory>
#include <vector>

#include "seawall/async/event.h"
#include "seawall/async/task.h"
#include "seawall/module/module.h"

namespace seawall::profile {

class LoopThread {
 public:
  Loop* loop;
  int number;
  pthread_t thread;
  pid_t id;
};

// Registers the calling thread's loop from its first turn to its last, which is another one for each loop: a worker's loops die
// together, after their last request.
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

// Loop::post() for a loop that may have ended meanwhile. True: it will run.
bool post_to(Loop& there, std::function<void()> fn);

// What a request has done on another loop; between that and its own whoever lets go last frees it.
//
//   const auto look = std::make_shared<Look>();
//   if (!send(loop, look)) ...                          // that loop has ended
//   const Errc back = co_await wait_for(look, deadline);
class Errand {
 public:
  Errand() : here_(Loop::current()) {}
  virtual ~Errand() = default;

 protected:
  // There, between its tasks up to the first wait. What it writes is read when it is back.
  virtual Task<void> run() = 0;
  Event left;  // there: nobody waits any more

 private:
  friend bool send(Loop& there, const std::shared_ptr<Errand>& errand);
  friend Task<Errc> wait_for(std::shared_ptr<Errand> errand, Deadline deadline);
  static Task<void> run_and_return(std::shared_ptr<Errand> errand);
  Loop& here_;
  Loop* there_ = nullptr;
  Event back_;
};

// What has become of what a loop was asked for.
enum class Asked : std::uint8_t { done, nothing_there, taken, no_answer, cancelled };  // taken: another request has what it needs

// False: that loop has ended.
bool send(Loop& there, const std::shared_ptr<Errand>& errand);
// Waits for what has been sent. Whatever ends that sets `left`: with timed_out and cancelled, it may still run.
Task<Errc> wait_for(std::shared_ptr<Errand> errand, Deadline deadline);

}  // namespace seawall::profile
