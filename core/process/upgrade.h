// Upgrade: USR2. The program's file has been exchanged, and a new server starts from it with our listening sockets; both serve
// until one is told to QUIT (nginx's contract: pid file renamed to .oldbin meanwhile). Supervisor thread.
#pragma once
#include <sys/types.h>

#include <string>
#include <vector>

#include "seawall/process/listening.h"

namespace seawall {

class Upgrade {
 public:
  // Remembers the program and its command line: what lies there later is the new one.
  Upgrade();
  // `env`: see environment.h. False, and errno, when no process can be had.
  bool start(const Listening& listening, const std::vector<std::string>& env);
  bool is_running() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }
  void ended() { pid_ = 0; }

 private:
  std::string program_;
  std::vector<std::string> arguments_;
  pid_t pid_ = 0;
};

}  // namespace seawall
