#include "seawall/server/found.h"

#include <fcntl.h>

#include <cerrno>
#include <climits>
#include <string_view>

namespace seawall {

Found::Found(const std::string& path, Walk how) : path_(path), walked_(how.rule != Symlinks::followed) {
  if (walked_) walk(how);
  else if (::stat(path.c_str(), &status_) != 0) fail(errno, "stat()");
}

bool Found::fail(int error, const char* call) {
  error_ = error;
  failed_ = call;
  return false;
}

// One name after the other, each through the descriptor of the folder before it: what is renamed meanwhile does not
// matter.
bool Found::walk(Walk how) {
  const std::string start = how.from > 0 ? path_.substr(0, how.from) : "/";
  here_.reset(::open(start.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!here_) return fail(errno, "open()");
  if (::fstat(here_.get(), &status_) != 0) return fail(errno, "fstat()");
  std::string_view rest = std::string_view(path_).substr(how.from);
  while (!rest.empty()) {
    const std::string_view name = rest.substr(0, rest.find('/'));
    rest.remove_prefix(name.size() + (name.size() < rest.size() ? 1 : 0));
    if (!name.empty() && !step(std::string(name), how.rule)) return false;
  }
  if (path_.ends_with('/') && !S_ISDIR(status_.st_mode)) return fail(ENOTDIR, "openat()");
  return true;
}

bool Found::step(const std::string& name, Symlinks rule) {
  folder_ = std::move(here_);
  name_ = name;
  through_link_ = false;
  here_.reset(::openat(folder_.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!here_) return fail(errno, "openat()");
  if (::fstat(here_.get(), &status_) != 0) return fail(errno, "fstat()");
  if (!S_ISLNK(status_.st_mode)) return true;
  if (rule == Symlinks::refused) return fail(ELOOP, "openat()");
  const Fd link = std::move(here_);
  return follow(link);
}

// A link is followed when what it leads to belongs to its own owner. Its text is read from the link that was looked at.
bool Found::follow(const Fd& link) {
  const uid_t owner = status_.st_uid;
  char target[PATH_MAX];
  const ssize_t length = ::readlinkat(link.get(), "", target, sizeof target);
  if (length < 0) return fail(errno, "readlinkat()");
  if (length == sizeof target) return fail(ENAMETOOLONG, "readlinkat()");
  name_.assign(target, static_cast<std::size_t>(length));
  through_link_ = true;
  here_.reset(::openat(folder_.get(), name_.c_str(), O_PATH | O_CLOEXEC));
  if (!here_) return fail(errno, "openat()");
  if (::fstat(here_.get(), &status_) != 0) return fail(errno, "fstat()");
  return status_.st_uid == owner || fail(ELOOP, "openat()");
}

Fd Found::open(int flags) {
  flags |= O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
  if (!walked_) {
    failed_ = "open()";
    return Fd(::open(path_.c_str(), flags));
  }
  failed_ = "openat()";
  // The root itself has no name in a folder.
  if (!folder_) return Fd(::openat(here_.get(), ".", flags));
  Fd fd(::openat(folder_.get(), name_.c_str(), flags | (through_link_ ? 0 : O_NOFOLLOW)));
  struct stat opened;
  if (!fd || ::fstat(fd.get(), &opened) != 0) return Fd();
  if (opened.st_dev == status_.st_dev && opened.st_ino == status_.st_ino) return fd;
  fd.reset();
  errno = ELOOP;
  return fd;
}

}  // namespace seawall
