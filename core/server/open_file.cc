#include "seawall/server/open_file.h"

#include <fcntl.h>

#include <cerrno>

#include "seawall/server/exchange.h"

namespace seawall {
namespace {

Ref<File> missing(const char* failed) { return Ref<File>(new File(errno, failed)); }

}  // namespace

Ref<File> test_file(Exchange&, const std::string& path) {
  struct stat s;
  if (::stat(path.c_str(), &s) != 0) return missing("stat()");
  return Ref<File>(new File(FileStamp(s)));
}

Ref<File> open_file(Exchange& x, const std::string& path) {
  // Looked at first: opening a FIFO or a device may do something.
  Ref<File> seen = test_file(x, path);
  if (seen->error()) return Ref<File>(new File(seen->error(), "open()"));
  if (!seen->is_regular()) return seen;
  Fd fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (!fd) return missing("open()");
  struct stat s;
  if (::fstat(fd.get(), &s) != 0) return missing("fstat()");
  return Ref<File>(new File(FileStamp(s), std::move(fd)));
}

Result<Fd> open_folder(Exchange&, const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return system_error_code(errno);
  return fd;
}

}  // namespace seawall
