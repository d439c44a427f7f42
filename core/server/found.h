// Found: what a path leads to under a rule about symbolic links, held so that nobody can put something else in its place
// between the look and the opening. Blocks for as long as the file system takes. Any thread.
//
//   Found found("/srv/www/a.html", walk);
//   if (found.error()) ...; else if (S_ISREG(found.status().st_mode)) Fd fd = found.open(O_RDONLY);
#pragma once
#include <sys/stat.h>

#include <cstddef>
#include <string>

#include "seawall/base/fd.h"
#include "seawall/server/file_conf.h"

namespace seawall {

// Which links of a path are followed: those of its first `from` bytes always, the others by the rule.
class Walk {
 public:
  bool operator==(const Walk&) const = default;
  Symlinks rule = Symlinks::followed;
  std::size_t from = 0;
};

class Found {
 public:
  Found(const std::string& path, Walk walk);

  int error() const { return error_; }  // errno; ELOOP for a link that the rule refuses
  const char* failed() const { return failed_; }  // the call that said so
  const struct stat& status() const { return status_; }

  // Opens what was found, never anything else: with a rule, ELOOP when it has been exchanged meanwhile. O_NONBLOCK and
  // O_CLOEXEC are added. Empty: errno and failed() say why.
  Fd open(int flags);

 private:
  bool walk(Walk walk);
  bool step(const std::string& name, Symlinks rule);
  bool follow(const Fd& link);
  bool fail(int error, const char* call);

  const std::string& path_;
  const bool walked_;
  int error_ = 0;
  const char* failed_ = "";
  struct stat status_ {};
  // Of a walked path: the folder of its last name, and what to open in it.
  Fd folder_;
  Fd here_;
  std::string name_;
  bool through_link_ = false;
};

}  // namespace seawall
