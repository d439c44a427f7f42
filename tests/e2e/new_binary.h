// A new binary beside a server (USR2).
#pragma once
#include <signal.h>

#include <charconv>
#include <filesystem>
#include <string>

#include "catch.h"
#include "e2e/server.h"
#include "e2e/timing.h"

namespace test {

inline pid_t pid_in(const std::string& path) {
  const std::string text = read_file(path);
  pid_t pid = 0;
  std::from_chars(text.data(), text.data() + text.size(), pid);
  return pid;
}

// Ends with the test, whatever becomes of it.
class NewBinary {
 public:
  explicit NewBinary(pid_t pid) : pid_(pid) {}
  ~NewBinary() { if (!ended_) ::kill(pid_, SIGKILL); }
  void tell(int signal) {
    REQUIRE(::kill(pid_, signal) == 0);
    ended_ = true;
  }

 private:
  const pid_t pid_;
  bool ended_ = false;
};

// USR2: the new binary's process, once it has a worker.
inline pid_t upgrade(Server& s) {
  const std::string pid_file = s.folder() + "/nginx.pid";
  const pid_t old = s.pid();
  s.signal(SIGUSR2);
  REQUIRE(wait_until([&] { return pid_in(pid_file + ".oldbin") == old && pid_in(pid_file) != old && pid_in(pid_file) > 0; }));
  const pid_t fresh = pid_in(pid_file);
  const bool works = s.wait_for_log(std::to_string(fresh) + "#.*start worker process");
  if (!works) ::kill(fresh, SIGKILL);
  REQUIRE(works);
  return fresh;
}

}  // namespace test
