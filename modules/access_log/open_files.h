// OpenFiles: the files of access logs that have variables in their paths, of one loop: opened for each line, or kept open as
// open_log_file_cache says. Its loop.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "seawall/base/fd.h"
#include "seawall/log/log_file.h"
#include "seawall/module/module.h"

namespace seawall::access_log {

// open_log_file_cache max=N [inactive=TIME] [min_uses=N] [valid=TIME] | off
class CacheRule {
 public:
  CacheRule() = default;  // off
  // ConfigError in nginx's wording.
  explicit CacheRule(const Invocation& in);

  std::size_t max = 0;                          // files; 0: none is kept open
  std::chrono::milliseconds inactive{10'000};   // unused for so long: closed and forgotten
  std::chrono::milliseconds valid{60'000};      // after this the path is looked at again: the file may have been moved
  std::int64_t min_uses = 1;                    // fewer than these: closed after each line
};

class OpenFiles {
 public:
  explicit OpenFiles(const CacheRule& rule) : rule_(rule) {}
  // Appends a line; what fails is logged about this request, and the line is lost.
  void write(Exchange& x, const std::string& path, std::string_view line);

 private:
  class File {
   public:
    std::string path;
    Fd fd;
    dev_t device = 0;
    ino_t inode = 0;
    std::int64_t used = 0, checked = 0;  // ns, the loop's clock
    std::int64_t uses = 0;
  };
  using Files = std::list<File>;
  Files::iterator find(const std::string& path, std::int64_t now);
  void forget(Files::iterator file);
  bool open(Exchange& x, File& file);

  const CacheRule rule_;
  Files files_;  // the last used first
  std::unordered_map<std::string_view, Files::iterator> by_path_;
  std::int64_t complained_ = 0;
  std::atomic<bool> reopen_{false};
  HeldLines reopened_{[this] { reopen_.store(true); }};
};

}  // namespace seawall::access_log
