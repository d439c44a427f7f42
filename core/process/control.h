// Control: the supervisor's door for `seawall -s reload`, which waits for the result: a unix socket beside the pid file
// (PIDFILE.sock, for its owner alone). A command is a packet, its answer another: empty, or what went wrong. Supervisor thread.
#pragma once
#include <sys/types.h>

#include <optional>
#include <string>

#include "seawall/base/fd.h"

namespace seawall {

class Control {
 public:
  // A socket that cannot be made is said in the log; then there is none, and signals remain.
  explicit Control(const std::string& pid_file);
  ~Control();
  Control(const Control&) = delete;

  int fd() const { return listening_.get(); }  // readable: somebody calls; -1: there is none
  // The command of the one who calls; "" when there is none, or he may not.
  std::string hear();
  void answer(const std::string& error);
  // The pid file has another name.
  void move(const std::string& pid_file);
  // In a child: closes what is the supervisor's.
  void leave();

 private:
  std::string path_;
  Fd listening_, caller_;
  Fd reserve_;  // gives its number where there is none for a caller
  ino_t file_ = 0;  // what the path names as long as no other server has taken it
};

// Asks the supervisor with this pid file. Nothing: nobody is there to be asked; else its answer.
std::optional<std::string> ask_supervisor(const std::string& pid_file, const std::string& command);

}  // namespace seawall
