#include "seawall/process/listening.h"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>

#include "seawall/base/error.h"

namespace seawall {
namespace {

[[noreturn]] void fail(const std::string& call, const Address& address) {
  throw std::runtime_error(call + " " + address.text_with_port() + " failed " + describe(system_error_code(errno)));
}

void set(int fd, int level, int option, int value, const char* name, const Address& address) {
  if (::setsockopt(fd, level, option, &value, sizeof value) < 0)
    fail("setsockopt(" + std::string(name) + ")", address);
}

// What accepted sockets inherit from the listening one, so that no connection costs a call (B30, B31): no delay, and the
// end of peers that have silently gone.
void set_connection_options(int fd, const ListenOptions& options, const Address& address) {
  if (address.is_unix()) return;
  set(fd, IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY", address);
  if (options.so_keepalive == ListenOptions::Keepalive::off) return;
  const bool own = options.so_keepalive == ListenOptions::Keepalive::on;
  const int idle = own ? static_cast<int>(options.keepidle.count()) : 30;
  const int interval = own ? static_cast<int>(options.keepintvl.count()) : 10;
  const int count = own ? options.keepcnt : 3;
  set(fd, SOL_SOCKET, SO_KEEPALIVE, 1, "SO_KEEPALIVE", address);
  if (idle > 0) set(fd, IPPROTO_TCP, TCP_KEEPIDLE, idle, "TCP_KEEPIDLE", address);
  if (interval > 0) set(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval, "TCP_KEEPINTVL", address);
  if (count > 0) set(fd, IPPROTO_TCP, TCP_KEEPCNT, count, "TCP_KEEPCNT", address);
  if (!own) set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 30'000, "TCP_USER_TIMEOUT", address);
}

// Before bind, for a new socket.
void set_socket_options(int fd, const ListenOptions& options, const Address& address) {
  set(fd, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR", address);
  if (options.reuseport) set(fd, SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT", address);
  if (address.family() == AF_INET6) set(fd, IPPROTO_IPV6, IPV6_V6ONLY, options.ipv6only, "IPV6_V6ONLY", address);
}

// Before listen; also again on a socket that is taken over.
void set_listen_options(int fd, const ListenOptions& options, const Address& address) {
  if (options.rcvbuf > 0) set(fd, SOL_SOCKET, SO_RCVBUF, static_cast<int>(options.rcvbuf), "SO_RCVBUF", address);
  if (options.sndbuf > 0) set(fd, SOL_SOCKET, SO_SNDBUF, static_cast<int>(options.sndbuf), "SO_SNDBUF", address);
  if (options.fastopen > 0) set(fd, IPPROTO_TCP, TCP_FASTOPEN, options.fastopen, "TCP_FASTOPEN", address);
  if (options.deferred) set(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1, "TCP_DEFER_ACCEPT", address);
  set_connection_options(fd, options, address);
}

// A path that nobody listens on any more is left over from a server that was killed.
void remove_stale_path(const Address& address) {
  Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(probe.get(), address.data(), address.size()) < 0 && errno == ECONNREFUSED) ::unlink(address.path().c_str());
}

Fd open_socket(const ListenSocket& socket) {
  const Address& address = socket.address;
  Fd fd(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) fail("socket()", address);
  set_socket_options(fd.get(), socket.options, address);
  if (address.is_unix()) remove_stale_path(address);
  if (::bind(fd.get(), address.data(), address.size()) < 0) fail("bind() to", address);
  if (address.is_unix()) ::chmod(address.path().c_str(), 0666);
  return fd;
}

}  // namespace

std::unique_ptr<Listening> Listening::open(std::span<const ListenSocket> sockets, int loops, Listening* from) {
  auto opened = std::make_unique<Listening>();
  for (const ListenSocket& socket : sockets) {
    std::shared_ptr<OpenSocket> open;
    if (from)
      for (auto& old : from->sockets_)
        if (old->address == socket.address && old->reuseport == socket.options.reuseport) open = old;
    if (!open) {
      open = std::make_shared<OpenSocket>();
      open->address = socket.address;
      open->reuseport = socket.options.reuseport;
    }
    const std::size_t wanted = socket.options.reuseport ? static_cast<std::size_t>(loops) : 1;
    while (open->fds.size() < wanted) open->fds.push_back(open_socket(socket));
    for (Fd& fd : open->fds) {
      set_listen_options(fd.get(), socket.options, socket.address);
      if (::listen(fd.get(), socket.options.backlog) < 0) fail("listen() to", socket.address);
    }
    opened->sockets_.push_back(std::move(open));
  }
  return opened;
}

int Listening::fd(std::size_t index, int loop) const {
  const OpenSocket& socket = *sockets_[index];
  return socket.fds[static_cast<std::size_t>(loop) % socket.fds.size()].get();
}

void Listening::close_unused(const Listening& by) {
  for (auto& socket : sockets_) {
    const bool used = std::find(by.sockets_.begin(), by.sockets_.end(), socket) != by.sockets_.end();
    if (!used && socket->address.is_unix()) ::unlink(socket->address.path().c_str());
  }
}

void Listening::remove_paths() {
  for (auto& socket : sockets_)
    if (socket->address.is_unix()) ::unlink(socket->address.path().c_str());
}

}  // namespace seawall
