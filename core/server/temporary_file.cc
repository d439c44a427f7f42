#include "seawall/server/temporary_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
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

// Ten digits, as nginx names them.
Result<Fd> make_named_file(const std::string& folder, std::string& name) {
  static std::atomic<std::uint32_t> next{1};
  for (int attempt = 0; attempt < 10'000; ++attempt) {
    char digits[16];
    std::snprintf(digits, sizeof digits, "/%010u", next++);
    name = folder + digits;
    Fd fd(::open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (fd) return fd;
    if (errno == ENOENT && ::mkdir(folder.c_str(), 0700) == 0) continue;
    if (errno != EEXIST) break;
  }
  const int error = errno;
  name.clear();
  return system_error_code(error);
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
