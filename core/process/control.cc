#include "seawall/process/control.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "seawall/base/error.h"
#include "seawall/log/log.h"
#include "seawall/net/address.h"

namespace seawall {
namespace {

constexpr int kHearing = 1000;            // ms for a caller to say what he wants
constexpr int kAnswering = 5 * 60 * 1000;  // ms for a reload, which may read large files of a busy machine
constexpr std::size_t kLongest = 4096;    // bytes of a packet

std::string path_beside(const std::string& pid_file) { return pid_file + ".sock"; }

// Empty at the end, and when nothing comes in time.
std::optional<std::string> receive(int fd, int patience) {
  pollfd wait{fd, POLLIN, 0};
  char text[kLongest];
  if (::poll(&wait, 1, patience) != 1) return std::nullopt;
  const ssize_t n = ::recv(fd, text, sizeof text, 0);
  if (n <= 0) return std::nullopt;
  return std::string(text + 1, static_cast<std::size_t>(n - 1));
}

// A byte before the text: an empty packet could not be told from the end.
bool send(int fd, const std::string& text) {
  const std::string packet = "=" + text.substr(0, kLongest - 1);
  return ::send(fd, packet.data(), packet.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(packet.size());
}

// 0: nothing is there.
ino_t inode_of(const std::string& path) {
  struct stat status;
  return ::lstat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

bool is_trusted(int fd) {
  ucred caller{};
  socklen_t size = sizeof caller;
  return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &caller, &size) == 0 && (caller.uid == 0 || caller.uid == ::geteuid());
}

Fd open_reserve() { return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

// Empty: errno says why.
Fd listen_at(const std::string& path) {
  const auto address = Address::unix_path(path);
  if (!address) {
    errno = ENAMETOOLONG;
    return Fd();
  }
  Fd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  ::unlink(path.c_str());  // of a server that was killed: the pid file is ours by now
  const mode_t before = ::umask(0177);
  const bool listens = fd && ::bind(fd.get(), address->data(), address->size()) == 0 && ::listen(fd.get(), 4) == 0;
  const int error = errno;
  ::umask(before);
  errno = error;
  return listens ? std::move(fd) : Fd();
}

}  // namespace

Control::Control(const std::string& pid_file) : path_(path_beside(pid_file)), listening_(listen_at(path_)), reserve_(open_reserve()), file_(inode_of(path_)) {
  if (!listening_)
    log(Level::notice, "no control socket, \"-s reload\" will not wait: \"" + path_ + "\" " + describe(system_error_code(errno)));
}

Control::~Control() {
  if (listening_ && inode_of(path_) == file_) ::unlink(path_.c_str());
}

std::string Control::hear() {
  caller_.reset(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!caller_ && errno == EMFILE) {  // he would call for ever
    reserve_.reset();
    caller_.reset(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    caller_.reset();
    reserve_ = open_reserve();
  }
  if (!caller_ || !is_trusted(caller_.get())) return "";
  return receive(caller_.get(), kHearing).value_or("");
}

void Control::answer(const std::string& error) {
  if (!send(caller_.get(), error)) log(Level::info, "the caller of a command has gone before its answer");
  caller_.reset();
}

void Control::move(const std::string& pid_file) {
  const std::string to = path_beside(pid_file);
  if (listening_ && std::rename(path_.c_str(), to.c_str()) == 0) path_ = to;
}

void Control::leave() {
  listening_.reset();
  reserve_.reset();
  caller_.reset();
}

std::optional<std::string> ask_supervisor(const std::string& pid_file, const std::string& command) {
  const auto address = Address::unix_path(path_beside(pid_file));
  const Fd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!address || !fd || ::connect(fd.get(), address->data(), address->size()) < 0 || !send(fd.get(), command)) return std::nullopt;
  return receive(fd.get(), kAnswering).value_or("the server has given no answer; its error log may have one");
}

}  // namespace seawall
