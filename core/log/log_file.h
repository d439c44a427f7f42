// Log files, of the error log and of access logs alike: opened for append, one write(2) a call, reopened by USR1. Any
// thread.
#pragma once
#include <sys/types.h>

#include <atomic>
#include <ctime>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "seawall/base/export.h"
#include "seawall/base/fd.h"
#include "seawall/base/result.h"

namespace seawall {

class SEAWALL_API LogFile {
 public:
  // The file of this path, opened or created at once. The same path gives the same file, so that two directives never
  // interleave halves of lines. std::runtime_error in nginx's wording.
  static std::shared_ptr<LogFile> open(const std::string& path);
  LogFile(std::string path, Fd fd);

  const std::string& path() const { return path_; }

  // Whole lines, in one write(2). What cannot be written is lost; a full pipe is waited for. Errors: errno of write();
  // Errc::truncated when only a part was taken.
  Result<void> append(std::string_view lines);
  // The same, and an [alert] about a failure, at most one a minute. After a full disk nothing is tried within the second.
  void write(std::string_view lines);

  // Opens the path anew; a new file then belongs to `owner` (-1: whoever creates it). An [emerg] when it cannot be opened:
  // the old file stays.
  void reopen(uid_t owner);

 private:
  void complain(const std::string& what);

  const std::string path_;
  const Fd fd_;  // its number never changes: reopen() puts another file behind it
  std::mutex whole_lines_;
  bool is_pipe_ = false;
  std::atomic<std::time_t> full_at_{0}, complained_at_{0};
};

// Registers, while it lives, how lines that are held back get written (a buffered access log). `flush` is called from any
// thread: make this the last member of its owner.
class SEAWALL_API HeldLines {
 public:
  explicit HeldLines(std::function<void()> flush);
  ~HeldLines();
  HeldLines(const HeldLines&) = delete;
  HeldLines& operator=(const HeldLines&) = delete;

  const std::function<void()> flush;
};

// USR1: what is held back goes to the old files, then every LogFile is opened anew. `owner` is whom the worker runs as: it
// opens the new files, too.
SEAWALL_API void reopen_logs(uid_t owner = static_cast<uid_t>(-1));

}  // namespace seawall
