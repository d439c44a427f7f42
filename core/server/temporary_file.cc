#include "seawall/server/temporary_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace seawall {
namespace {

// Where the file system knows no O_TMPFILE.
Result<Fd> make_and_unlink(const std::string& folder) {
  std::string path = folder + "/XXXXXX";
  Fd fd(::mkostemp(path.data(), O_CLOEXEC));
  if (!fd) return system_error_code(errno);
  ::unlink(path.c_str());
  return fd;
}

}  // namespace

Result<Fd> make_temporary_file(const std::string& folder) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    Fd fd(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    if (fd) return fd;
    if (errno == EOPNOTSUPP || errno == EISDIR) return make_and_unlink(folder);
    if (errno != ENOENT || ::mkdir(folder.c_str(), 0700) != 0) return system_error_code(errno);
  }
  return system_error_code(ENOENT);
}

Result<void> write_at(int fd, std::string_view bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error_code(errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

}  // namespace seawall
