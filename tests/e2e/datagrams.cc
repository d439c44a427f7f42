// See datagrams.h.
#include "e2e/datagrams.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <stdexcept>

#include "e2e/folder.h"

namespace test {
namespace {

void bind_to(int fd, const void* address, socklen_t size) {
  if (::bind(fd, static_cast<const sockaddr*>(address), size) < 0) throw std::runtime_error("cannot bind a datagram socket");
}

}  // namespace

Datagrams::Datagrams() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bind_to(fd_.get(), &address, sizeof address);
  socklen_t size = sizeof address;
  if (::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size) < 0) throw std::runtime_error("getsockname");
  where_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

Datagrams::Datagrams(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)), where_("unix:" + path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  bind_to(fd_.get(), &address, sizeof address);
}

std::string Datagrams::next() {
  pollfd wait{fd_.get(), POLLIN, 0};
  if (::poll(&wait, 1, left_until(Clock::now() + kPatience)) != 1) return "";
  std::string text(65536, '\0');
  const ssize_t n = ::recv(fd_.get(), text.data(), text.size(), 0);
  text.resize(n > 0 ? std::size_t(n) : 0);
  return text;
}

}  // namespace test
