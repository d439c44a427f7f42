#include "seawall/process/daemon.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "seawall/base/error.h"
#include "seawall/base/fd.h"

namespace seawall {

namespace {

std::string stderr_path;  // "": standard error is the caller's

// 0: none.
pid_t named_in(const std::string& path) {
  std::ifstream file(path);
  pid_t named = 0;
  file >> named;
  return named;
}

}  // namespace

void Starting::go_to_background() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) throw std::system_error(errno, std::generic_category(), "pipe2()");
  const pid_t pid = ::fork();
  if (pid < 0) throw std::system_error(errno, std::generic_category(), "fork()");
  if (pid > 0) {
    ::close(ends[1]);
    char ready;
    ssize_t n;
    do n = ::read(ends[0], &ready, 1);
    while (n < 0 && errno == EINTR);
    ::_exit(n == 1 ? 0 : 1);
  }
  ::close(ends[0]);
  ready_ = ends[1];
  ::setsid();
}

Starting::~Starting() {
  if (ready_ >= 0) ::close(ready_);
}

void redirect_stderr() {
  if (stderr_path.empty()) return;
  const Fd log(::open(stderr_path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
  if (log) ::dup2(log.get(), STDERR_FILENO);
}

void Starting::done(const std::string& error_log) {
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!error_log.empty() && ready_ >= 0) ::dup2(null.get(), STDERR_FILENO);
  stderr_path = error_log;
  redirect_stderr();
  if (ready_ < 0) return;
  ::dup2(null.get(), STDIN_FILENO);
  ::dup2(null.get(), STDOUT_FILENO);
  const char ready = 1;
  if (::write(ready_, &ready, 1) != 1) throw std::system_error(errno, std::generic_category(), "write()");
  ::close(ready_);
  ready_ = -1;
}

PidFile::PidFile(std::string path) : name_(std::move(path)), path_(name_), owner_(::getpid()) {
  if (!write()) throw std::runtime_error("open() \"" + path_ + "\" failed " + describe(system_error_code(errno)));
}

bool PidFile::write() const {
  const Fd file(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  const std::string text = std::to_string(owner_) + "\n";
  return file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

bool PidFile::rename_to(const std::string& path) {
  if (::rename(path_.c_str(), path.c_str()) < 0) return false;
  path_ = path;
  return true;
}

bool PidFile::step_aside() { return rename_to(name_ + ".oldbin"); }
bool PidFile::step_back() {
  if (is_ours()) return rename_to(name_);
  path_ = name_;
  return write();
}

bool PidFile::is_ours() const { return named_in(path_) == owner_; }

bool PidFile::is_of_other(const std::string& path) const {
  const pid_t named = named_in(path);
  return named > 0 && named != owner_ && (::kill(named, 0) == 0 || errno == EPERM);
}

// In this order: a file that steps aside in between is found at its new place.
bool PidFile::is_taken() const { return is_of_other(name_) || has_predecessor(); }
bool PidFile::has_predecessor() const { return is_of_other(name_ + ".oldbin"); }

bool PidFile::move(const std::string& path) {
  if (path == name_ || path_ != name_) return true;
  const std::string before = std::exchange(path_, path);
  if (!write()) {
    path_ = before;
    return false;
  }
  name_ = path;
  if (named_in(before) == owner_) ::unlink(before.c_str());
  return true;
}

PidFile::~PidFile() {
  if (::getpid() == owner_ && is_ours()) ::unlink(path_.c_str());
}

}  // namespace seawall
