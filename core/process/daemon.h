// Going to the background, and the pid file. Before any thread.
#pragma once
#include <string>

namespace seawall {

// Constructed with true it forks: the parent waits until the child calls done() (sockets listen, pid file written) and
// exits with 0, or with 1 when the child ends before. With false it stays in the foreground.
class Starting {
 public:
  explicit Starting(bool background);
  ~Starting();
  // Lets the parent return; standard input and output go to /dev/null in the background, standard error to `error_log`
  // so that a sanitizer's or a library's last words are found there.
  void done(const std::string& error_log);

 private:
  bool background_;
  int ready_ = -1;
};

// Written at construction with this process's id, removed at the end. Throws std::runtime_error in nginx's wording.
class PidFile {
 public:
  explicit PidFile(std::string path);
  ~PidFile();
  PidFile(const PidFile&) = delete;

 private:
  std::string path_;
  int owner_;
};

}  // namespace seawall
