// Two ends of a connection for the tests of net/ and tls/: ours for a Socket or Stream, the peer's as a plain
// non-blocking descriptor.
#pragma once
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>

#include "seawall/base/fd.h"
#include "seawall/net/address.h"
#include "catch.h"

namespace test {

class Pair {
 public:
  enum Kind { unix_pair, tcp };
  // send_buffer: SO_SNDBUF of our end and SO_RCVBUF of the peer's, so that little is in flight; 0: the system's.
  explicit Pair(Kind kind, int buffer = 0) {
    if (kind == unix_pair) make_unix();
    else make_tcp(buffer);
    if (buffer > 0) setsockopt(ours.get(), SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
  }
  seawall::Fd ours, peer;

  void send(std::string_view bytes) const {
    REQUIRE(::send(peer.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
  }
  // All that has come so far; at most `limit`.
  std::string receive(std::size_t limit = 1 << 20) const {
    std::string text(limit, 0);
    const ssize_t n = ::recv(peer.get(), text.data(), text.size(), 0);
    text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return text;
  }
  void half_close() const { ::shutdown(peer.get(), SHUT_WR); }
  void reset() {
    const linger hard{1, 0};
    setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    peer.reset();
  }
  // What the peer sees after all bytes: 0 for an orderly end, errno otherwise.
  int end_seen_by_peer() const {
    char byte;
    pollfd ready{peer.get(), POLLIN, 0};
    ::poll(&ready, 1, 10'000);
    const ssize_t n = ::recv(peer.get(), &byte, 1, 0);
    return n < 0 ? errno : n == 0 ? 0 : -1;
  }

 private:
  void make_unix() {
    int ends[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    ours.reset(ends[0]);
    peer.reset(ends[1]);
  }
  void make_tcp(int buffer) {
    seawall::Fd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto any = seawall::Address::parse_ip("127.0.0.1", 0);
    REQUIRE(any);
    REQUIRE(bind(listener.get(), any->data(), any->size()) == 0);
    REQUIRE(listen(listener.get(), 1) == 0);
    const auto bound = seawall::Address::local_of(listener.get());
    REQUIRE(bound);
    peer.reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (buffer > 0) setsockopt(peer.get(), SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    REQUIRE(connect(peer.get(), bound->data(), bound->size()) == 0);
    ours.reset(accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    REQUIRE(ours);
    fcntl(peer.get(), F_SETFL, O_NONBLOCK);
  }
};

}  // namespace test
