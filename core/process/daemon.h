// Going to the background, and the pid file. Before any thread.
#pragma once
#include <string>

namespace seawall {

// How a start goes to the background: go_to_background() forks, and the parent waits until the child calls done() (sockets
// listen, pid file written) and exits with 0, or with 1 when the child ends before; so this is to outlive every message
// about a failed start.
class Starting {
 public:
  Starting() = default;
  Starting(const Starting&) = delete;
  ~Starting();
  void go_to_background();
  // Lets the parent return. In the background standard input and output go to /dev/null; standard error goes to
  // `error_log` ("": it stays), so that a sanitizer's or a library's last words are found there, and to /dev/null when that
  // cannot be opened: whoever waits for our output's end shall see it.
  void done(const std::string& error_log);

 private:
  int ready_ = -1;  // in the background, until done()
};

// Standard error goes to the file that done() was told, which may be a new one by that name (USR1). When it cannot be opened
// all stays as it is.
void redirect_stderr();

// Written at construction with this process's id, removed at the end. Throws std::runtime_error in nginx's wording.
class PidFile {
 public:
  explicit PidFile(std::string path);
  ~PidFile();
  PidFile(const PidFile&) = delete;
  const std::string& path() const { return path_; }
  // Makes room for a new binary's file, as PATH.oldbin. False: errno.
  bool step_aside();
  // Takes the name back when that one has ended; of two changes of the binary in a row each calls its old server PATH.oldbin, so
  // the file may be another's by now, or gone: then it is written anew. False: errno.
  bool step_back();
  // Does the name belong to another process that lives, or is one about to have it, whose predecessor has stepped aside for it?
  bool is_taken() const;
  // The server whose binary this process replaces lives: PATH.oldbin is its.
  bool has_predecessor() const;
  // Another name, of a new configuration. False, and nothing has changed: errno.
  bool move(const std::string& path);

 private:
  bool is_ours() const;
  bool is_of_other(const std::string& path) const;
  bool write() const;
  bool rename_to(const std::string& path);
  std::string name_;
  std::string path_;
  int owner_;
};

}  // namespace seawall
