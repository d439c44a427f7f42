#include "seawall/net/dial.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

namespace seawall {
namespace {

void set(int fd, int level, int name, int value) { ::setsockopt(fd, level, name, &value, sizeof value); }

void set_options(int fd, const Address& to, const DialOptions& options) {
  if (options.receive_buffer > 0) set(fd, SOL_SOCKET, SO_RCVBUF, options.receive_buffer);
  if (options.send_buffer > 0) set(fd, SOL_SOCKET, SO_SNDBUF, options.send_buffer);
  if (to.is_unix()) return;
  set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (options.keepalive) set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
}

// Without a port of ours to keep, the kernel may share it between connections to different peers.
Result<void> bind_to(int fd, const DialOptions& options) {
  if (options.transparent) set(fd, SOL_IP, IP_TRANSPARENT, 1);
  if (options.from.port() == 0) set(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  if (::bind(fd, options.from.data(), options.from.size()) != 0) return system_error_code(errno);
  return {};
}

}  // namespace

Result<Fd> start_connecting(const Address& to, const DialOptions& options) {
  Fd fd(::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return system_error_code(errno);
  set_options(fd.get(), to, options);
  if (!options.from.empty()) {
    if (Result<void> bound = bind_to(fd.get(), options); !bound) return bound.error();
  }
  if (::connect(fd.get(), to.data(), to.size()) != 0 && errno != EINPROGRESS) return system_error_code(errno);
  return fd;
}

Task<Result<void>> connected(Stream& stream, Deadline deadline) {
  Socket& socket = stream.socket();
  socket.is_connecting();
  const Errc waited = co_await socket.wait(Socket::writing, deadline);
  if (waited != Errc::ok) co_return waited;
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket.fd(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) co_return system_error_code(error);
  co_return Result<void>();
}

}  // namespace seawall
