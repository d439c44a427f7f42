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

// True when all that `open` needs are there; what could be opened stays for the next try.
bool open_all(const ListenSocket& socket, OpenSocket& open, std::size_t wanted) {
  while (open.fds.size() < wanted) {
    Fd fd = open_socket(socket);
    if (!fd) return false;
    open.fds.push_back(std::move(fd));
  }
  return true;
}

void listen_all(const ListenSocket& socket, const OpenSocket& open) {
  for (const Fd& fd : open.fds) {
    set_listen_options(fd.get(), socket.options, socket.address);
    if (::listen(fd.get(), socket.options.backlog) < 0)
      throw std::runtime_error("listen() to " + socket.address.text_with_port() + ", backlog " +
                               std::to_string(socket.options.backlog) + " failed " + describe(system_error_code(errno)));
  }
}

}  // namespace

std::shared_ptr<OpenSocket> Listening::take(const ListenSocket& socket) const {
  for (const auto& open : sockets_)
    if (open->address == socket.address && open->reuseport == socket.options.reuseport) return open;
  return nullptr;
}

std::unique_ptr<Listening> Listening::open(std::span<const ListenSocket> sockets, int loops, const Listening* from) {
  auto opened = std::make_unique<Listening>();
  opened->staying_ = loops;
  for (const ListenSocket& socket : sockets) {
    std::shared_ptr<OpenSocket> open = from ? from->take(socket) : nullptr;
    if (!open) open = std::make_shared<OpenSocket>(socket.address, socket.options.reuseport);
    opened->sockets_.push_back(std::move(open));
    opened->wanted_.push_back(socket.options.reuseport ? static_cast<std::size_t>(loops) : 1);
  }
  for (int tries = 1;; ++tries) {
    bool complete = true;
    for (std::size_t i = 0; i < sockets.size(); ++i)
      complete &= open_all(sockets[i], *opened->sockets_[i], opened->wanted_[i]);
    if (complete) break;
    if (tries == kTries) throw std::runtime_error("still could not bind()");
    log(Level::notice, "try again to bind() after 500ms");
    std::this_thread::sleep_for(kBetweenTries);
  }
  for (std::size_t i = 0; i < sockets.size(); ++i) listen_all(sockets[i], *opened->sockets_[i]);
  return opened;
}

int Listening::fd(std::size_t index, int loop) const {
  const OpenSocket& socket = *sockets_[index];
  return socket.fds[static_cast<std::size_t>(loop) % socket.fds.size()].get();
}

void Listening::trim() const {
  for (std::size_t i = 0; i < sockets_.size(); ++i)
    if (sockets_[i]->fds.size() > wanted_[i]) sockets_[i]->fds.resize(wanted_[i]);
}

void Listening::leave(int loop) const {
  const auto own = static_cast<std::size_t>(loop);
  const bool last = --staying_ == 0;
  for (const auto& socket : sockets_)
    if (socket->reuseport && own < socket->fds.size()) socket->fds[own].reset();
    else if (last) socket->fds.clear();
}

std::vector<OpenSocket*> Listening::unused(const Listening& by) const {
  std::vector<OpenSocket*> found;
  for (const auto& socket : sockets_)
    if (std::find(by.sockets_.begin(), by.sockets_.end(), socket) == by.sockets_.end()) found.push_back(socket.get());
  return found;
}

void Listening::close_unused(const Listening& by) const {
  for (OpenSocket* socket : unused(by)) socket->fds.clear();
}

void Listening::remove_unused_paths(const Listening& by) const {
  for (const OpenSocket* socket : unused(by))
    if (socket->address.is_unix()) ::unlink(socket->address.path().c_str());
}

void Listening::remove_paths() {
  for (auto& socket : sockets_)
    if (socket->address.is_unix()) ::unlink(socket->address.path().c_str());
}

}  // namespace seawall
