#include "store.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "seawall/base/error.h"
#include "seawall/base/fd.h"

namespace seawall::acme {
namespace {

constexpr const char* kLock = "lock";
constexpr std::size_t kLongest = 4 << 20;  // of a file
constexpr const char* kUnfinished = ".new";  // what a process that died in the middle leaves behind

[[noreturn]] void fail(const std::string& call, const std::string& path) {
  throw AcmeError(call + " \"" + path + "\" failed " + describe(system_error_code(errno)));
}

std::string version_of(const std::string& path) {
  struct stat status;
  if (::lstat(path.c_str(), &status) != 0) return {};
  return std::to_string(status.st_ino) + "." + std::to_string(status.st_mtim.tv_sec) + "." +
         std::to_string(status.st_mtim.tv_nsec);
}

// A command of root's writes for the workers, whose folder it is.
void give_to_owner(const Fd& fd, const std::string& folder) {
  struct stat status;
  if (::geteuid() != 0 || ::stat(folder.c_str(), &status) != 0 || status.st_uid == 0) return;
  if (::fchown(fd.get(), status.st_uid, status.st_gid) != 0) fail("fchown()", folder);
}

void write_all(const Fd& fd, const std::string& text, const std::string& path) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(fd.get(), text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("write()", path);
    done += static_cast<std::size_t>(n);
  }
}

}  // namespace

// Each folder on the way, as far as there is none.
void FileStore::make_folder() const {
  for (std::size_t end = folder_.find('/', 1);; end = folder_.find('/', end + 1)) {
    const std::string part = folder_.substr(0, end);
    if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST && errno != EROFS && errno != EACCES) fail("mkdir()", part);
    if (end == std::string::npos) return;
  }
}

void FileStore::sync_folder() const {
  const Fd fd(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) fail("fsync()", folder_);
}

// Only what the folder's owner can have written there, as far as that shows: root reads here, too. No name at all: it has just been
// written anew.
std::optional<std::string> FileStore::read(const std::string& name) const {
  const Fd fd(::open(path(name).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd && errno == ENOENT) return std::nullopt;
  struct stat status;
  if (!fd || ::fstat(fd.get(), &status) != 0) fail("open()", path(name));
  if (!S_ISREG(status.st_mode) || status.st_nlink > 1) throw AcmeError("\"" + path(name) + "\" is no file of ours");
  std::string text;
  char part[16 * 1024];
  for (;;) {
    const ssize_t n = ::read(fd.get(), part, sizeof part);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("read()", path(name));
    if (n == 0) return text;
    text.append(part, static_cast<std::size_t>(n));
    if (text.size() > kLongest) throw AcmeError("\"" + path(name) + "\" is too long");
  }
}

// A file of its own first, on the disk, and then under its name: whoever reads sees the old text or the new one.
void FileStore::write(const std::string& name, const std::string& text) {
  static std::atomic<int> number{0};
  make_folder();
  const std::string to = path(name);
  const std::string temporary = to + "." + std::to_string(::getpid()) + "." + std::to_string(++number) + kUnfinished;
  try {
    const Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) fail("open()", temporary);
    write_all(fd, text, temporary);
    give_to_owner(fd, folder_);
    if (::fsync(fd.get()) != 0) fail("fsync()", temporary);
    if (::rename(temporary.c_str(), to.c_str()) != 0) fail("rename()", to);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_folder();
}

void FileStore::remove(const std::string& name) {
  if (::unlink(path(name).c_str()) != 0 && errno != ENOENT) fail("unlink()", path(name));
}

std::vector<std::string> FileStore::names() const {
  std::vector<std::string> all;
  DIR* const folder = ::opendir(folder_.c_str());
  if (!folder) return all;
  while (const dirent* const entry = ::readdir(folder))
    if (entry->d_name[0] != '.') all.emplace_back(entry->d_name);
  ::closedir(folder);
  return all;
}

// Two changes within the clock's grain look like one, so a folder that has just been changed has none yet.
std::string FileStore::version() const {
  struct stat status;
  constexpr std::time_t kGrain = 2;
  if (::lstat(folder_.c_str(), &status) != 0 || std::abs(std::time(nullptr) - status.st_mtim.tv_sec) < kGrain) return {};
  return version_of(folder_);
}
std::string FileStore::version(const std::string& name) const {
  return version_of(path(name));
}

// One that is made here belongs to the folder's owner, as all others; one that was there may be anything.
Fd FileStore::open_lock() const {
  const std::string name = path(kLock);
  Fd fd(::open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (fd)
    give_to_owner(fd, folder_);
  else if (errno == EEXIST)
    fd = Fd(::open(name.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd) fail("open()", name);
  return fd;
}

// NAME.PID.NUMBER.new: a command may be about to give it its name. One that is old is nobody's, whoever has got that process number
// since.
bool FileStore::is_left_behind(const std::string& name) const {
  constexpr std::time_t kLongestWrite = 600;
  if (!name.ends_with(kUnfinished)) return false;
  const auto number = name.rfind('.', name.size() - std::strlen(kUnfinished) - 1), pid = name.rfind('.', number - 1);
  if (number == std::string::npos || pid == std::string::npos || number == 0) return true;
  const int writer = std::atoi(name.c_str() + pid + 1);
  if (writer <= 0 || writer == ::getpid() || (::kill(writer, 0) != 0 && errno == ESRCH)) return true;
  struct stat status;
  return ::lstat(path(name).c_str(), &status) == 0 && std::time(nullptr) - status.st_mtim.tv_sec > kLongestWrite;
}

// The kernel lets go of it when the process ends, however it does. In this process it is one lock, whoever asks.
std::shared_ptr<void> FileStore::try_lock() {
  const std::lock_guard one(mutex_);
  if (auto held = held_.lock()) return held;
  make_folder();
  auto fd = std::make_shared<Fd>(open_lock());
  if (::flock(fd->get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return nullptr;
    fail("flock()", path(kLock));
  }
  for (const std::string& name : names())
    if (is_left_behind(name)) ::unlink(path(name).c_str());
  held_ = fd;
  return fd;
}

}  // namespace seawall::acme
