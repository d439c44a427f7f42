#include "seawall/process/listening.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "seawall/base/error.h"
#include "seawall/process/say.h"
#include "seawall/process/socket_options.h"

namespace seawall {
namespace {

using namespace std::chrono_literals;

// nginx's numbers: whoever has the address may be about to end.
constexpr int kTries = 5;
constexpr auto kBetweenTries = 500ms;

std::string failed(const std::string& call, const Address& address) {
  return call + " " + address.text_with_port() + " failed " + describe(system_error_code(errno));
}

// A socket's path that nobody listens on any more is left over from a server that was killed. Never waits: somebody whose
// queue is full is alive.
void remove_stale_path(const Address& address) {
  struct stat status;
  if (::lstat(address.path().c_str(), &status) < 0 || !S_ISSOCK(status.st_mode)) return;
  Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (::connect(probe.get(), address.data(), address.size()) < 0 && errno == ECONNREFUSED) ::unlink(address.path().c_str());
}

// None when somebody else has the address.
Fd open_socket(const ListenSocket& socket) {
  const Address& address = socket.address;
  Fd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) throw std::runtime_error(failed("socket()", address));
  set_bind_options(fd.get(), socket.options, address);
  if (address.is_unix()) remove_stale_path(address);
  if (::bind(fd.get(), address.data(), address.size()) < 0) {
    if (errno != EADDRINUSE) throw std::runtime_error(failed("bind() to", address));
    say(Level::emerg, failed("bind() to", address));
    return Fd();
  }
  if (address.is_unix()) ::chmod(address.path().c_str(), 0666);
  return fd;
}

// The address of a socket that has no company so far gets some: all must say that they share it.
void share(const OpenSocket& open) {
  const int on = 1;
  for (const auto& fd : open.fds)
    if (::setsockopt(fd->get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0)
      throw std::runtime_error(failed("setsockopt(SO_REUSEPORT)", open.address));
}

// True when all that `open` needs are there; what could be opened stays for the next try.
bool open_all(const ListenSocket& socket, OpenSocket& open, std::size_t wanted) {
  if (open.fds.size() < wanted) share(open);
  while (open.fds.size() < wanted) {
    Fd fd = open_socket(socket);
    if (!fd) return false;
    open.fds.push_back(std::make_shared<Fd>(std::move(fd)));
  }
  return true;
}

void listen_on(const ListenSocket& socket, int fd) {
  set_listen_options(fd, socket.options, socket.address);
  if (::listen(fd, socket.options.backlog) < 0)
    throw std::runtime_error("listen() to " + socket.address.text_with_port() + ", backlog " +
                             std::to_string(socket.options.backlog) + " failed " + describe(system_error_code(errno)));
}

}  // namespace

const OpenSocket* Listening::find(const Address& address) const {
  for (const OpenSocket& open : sockets_)
    if (open.address == address) return &open;
  return nullptr;
}

std::unique_ptr<Listening> Listening::adopt(std::vector<OpenSocket> sockets) {
  auto adopted = std::make_unique<Listening>();
  adopted->sockets_ = std::move(sockets);
  return adopted;
}

std::unique_ptr<Listening> Listening::open(std::span<const ListenSocket> sockets, int loops, const Listening* from) {
  auto opened = std::make_unique<Listening>();
  opened->loops_ = opened->staying_ = loops;
  std::vector<std::size_t> taken;
  for (const ListenSocket& socket : sockets) {
    const OpenSocket* before = from ? from->find(socket.address) : nullptr;
    opened->sockets_.push_back(before ? *before : OpenSocket{socket.address, {}, 0});
    taken.push_back(before ? before->fds.size() : 0);
  }
  for (int tries = 1;; ++tries) {
    bool complete = true;
    for (std::size_t i = 0; i < sockets.size(); ++i)
      complete &= open_all(sockets[i], opened->sockets_[i], sockets[i].options.reuseport ? static_cast<std::size_t>(loops) : 1);
    if (complete) break;
    if (tries == kTries) throw std::runtime_error("still could not bind()");
    log(Level::notice, "try again to bind() after 500ms");
    std::this_thread::sleep_for(kBetweenTries);
  }
  for (std::size_t i = 0; i < sockets.size(); ++i) {
    const auto& fds = opened->sockets_[i].fds;
    for (std::size_t j = 0; j < (taken[i] ? taken[i] : fds.size()); ++j) listen_on(sockets[i], fds[j]->get());
  }
  return opened;
}

void Listening::listen_rest(std::span<const ListenSocket> sockets) const {
  for (std::size_t i = 0; i < sockets.size(); ++i)
    for (const auto& fd : sockets_[i].fds) {
      int listens = 0;
      socklen_t size = sizeof listens;
      ::getsockopt(fd->get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size);
      if (!listens) listen_on(sockets[i], fd->get());
    }
}

std::vector<int> Listening::fds(std::size_t index, int loop) const {
  const auto& all = sockets_[index].fds;
  std::vector<int> own;
  for (auto j = static_cast<std::size_t>(loop); j < all.size(); j += static_cast<std::size_t>(loops_)) own.push_back(all[j]->get());
  if (own.empty()) own.push_back(all[static_cast<std::size_t>(loop) % all.size()]->get());
  return own;
}

void Listening::leave() const {
  if (--staying_ == 0) close_all();
}

void Listening::close_all() const {
  for (const OpenSocket& open : sockets_)
    for (const auto& fd : open.fds) fd->reset();
}

void Listening::close_unused(const Listening& by) const {
  for (const OpenSocket& open : sockets_)
    if (!by.find(open.address))
      for (const auto& fd : open.fds) fd->reset();
}

void Listening::remove_unused_paths(const Listening& by) const {
  for (const OpenSocket& open : sockets_)
    if (!by.find(open.address) && open.address.is_unix() && open.opener != ::getppid()) ::unlink(open.address.path().c_str());
}

void Listening::remove_paths() const { remove_unused_paths(Listening()); }

}  // namespace seawall
