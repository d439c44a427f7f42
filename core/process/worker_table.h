// WorkerTable: the worker processes of all generations: one serves, the others end by and by. Supervisor thread.
#pragma once
#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <optional>

#include "seawall/base/fd.h"
#include "seawall/process/configuration.h"
#include "seawall/process/listening.h"

namespace seawall {

class WorkerTable {
 public:
  // Forks the worker that is to serve from now on. `leave` runs in it first: closes what is the supervisor's. `probe`: as in
  // run_worker(). What comes back brings a byte, and behind it what is wrong, once the worker accepts or knows that it will not; it
  // ends without one when the worker dies before. Empty, and a line in the log, when no process can be had.
  Fd start(const Configuration& conf, const Listening& listening, bool probe, const std::function<void()>& leave);

  class End {
   public:
    pid_t pid = 0;
    bool current = false;  // it was the one that serves
    bool fatal = false;    // it cannot start, and another could not either
    std::chrono::steady_clock::duration lived{};
  };
  // One that has ended, told in the log; nothing when there is none (more). Other children are `stranger`'s.
  std::optional<End> reap(const std::function<void(pid_t, int)>& stranger);

  void tell(pid_t worker, int signal) const;  // nothing happens to one that has ended
  void tell_all(int signal) const;
  // Where the present one hears of certificates; -1: there is none.
  int renewals() const { return channel(current_); }
  // Can be read, and is at its end, once this worker accepts no more; -1: it has ended.
  int channel(pid_t worker) const;
  // The oldest, when there are more than these; 0 otherwise.
  pid_t oldest_of_more_than(std::size_t generations) const;

  pid_t current() const { return current_; }
  void set_current(pid_t worker) { current_ = worker; }
  bool empty() const { return running_.empty(); }

 private:
  class Running {
   public:
    std::chrono::steady_clock::time_point started;
    Fd channel;     // to it: certificates; from it: the end, when it accepts no more
    Fd last_words;  // of it: what it says when it crashes
  };
  std::map<pid_t, Running> running_;
  pid_t current_ = 0;
};

}  // namespace seawall
