#include "seawall/process/socket_options.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <stdexcept>
#include <string>

#include "seawall/base/error.h"
#include "seawall/server/user_timeout.h"

namespace seawall {
namespace {

void set(int fd, int level, int option, int value, const char* name, const Address& address) {
  if (::setsockopt(fd, level, option, &value, sizeof value) == 0) return;
  throw std::runtime_error("setsockopt(" + std::string(name) + ") " + address.text_with_port() + " failed " +
                           describe(system_error_code(errno)));
}

// What accepted sockets inherit from the listening one, so that no connection costs a call (B30): no delay, and the end of
// peers that have silently gone.
void set_connection_options(int fd, const ListenOptions& options, const Address& address) {
  if (address.is_unix()) return;
  set(fd, IPPROTO_TCP, TCP_NODELAY, 1, "TCP_NODELAY", address);
  const bool off = options.so_keepalive == ListenOptions::Keepalive::off;
  set(fd, SOL_SOCKET, SO_KEEPALIVE, !off, "SO_KEEPALIVE", address);
  if (off) return;
  const bool own = options.so_keepalive == ListenOptions::Keepalive::on;
  const int idle = own ? static_cast<int>(options.keepidle.count()) : 30;
  const int interval = own ? static_cast<int>(options.keepintvl.count()) : 10;
  const int count = own ? options.keepcnt : 3;
  if (idle > 0) set(fd, IPPROTO_TCP, TCP_KEEPIDLE, idle, "TCP_KEEPIDLE", address);
  if (interval > 0) set(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval, "TCP_KEEPINTVL", address);
  if (count > 0) set(fd, IPPROTO_TCP, TCP_KEEPCNT, count, "TCP_KEEPCNT", address);
  set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, own ? 0 : static_cast<int>(kUserTimeout.count()), "TCP_USER_TIMEOUT", address);
}

}  // namespace

void set_bind_options(int fd, const ListenOptions& options, const Address& address) {
  set(fd, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR", address);
  if (options.reuseport) set(fd, SOL_SOCKET, SO_REUSEPORT, 1, "SO_REUSEPORT", address);
  if (address.family() == AF_INET6) set(fd, IPPROTO_IPV6, IPV6_V6ONLY, options.ipv6only, "IPV6_V6ONLY", address);
}

void set_listen_options(int fd, const ListenOptions& options, const Address& address) {
  if (options.rcvbuf > 0) set(fd, SOL_SOCKET, SO_RCVBUF, static_cast<int>(options.rcvbuf), "SO_RCVBUF", address);
  if (options.sndbuf > 0) set(fd, SOL_SOCKET, SO_SNDBUF, static_cast<int>(options.sndbuf), "SO_SNDBUF", address);
  if (address.is_unix()) return;
  if (options.fastopen > 0) set(fd, IPPROTO_TCP, TCP_FASTOPEN, options.fastopen, "TCP_FASTOPEN", address);
  set(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, options.deferred, "TCP_DEFER_ACCEPT", address);
  set_connection_options(fd, options, address);
}

}  // namespace seawall
