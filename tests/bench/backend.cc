// bench_backend http|fastcgi|websocket PORT: the application behind a server under measurement, as cheap as it can be.
//   http: /1k and /100k, and any body, which is read away; keep-alive.
//   fastcgi: "hello", over connections that are kept.
//   websocket: 101, and from then on whatever comes goes back.
// Prints "ready" when it listens, ends at the end of stdin. One thread.
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <unordered_map>
#include <utility>

#include "tls_client.h"

namespace {

class Peer {
 public:
  std::string in, out;
  std::size_t body = 0;       // bytes of a request's body that are still to come
  const std::string* answer = nullptr;  // when they have
  bool switched = false;
  bool waits = false;         // for room in its socket
};

std::string response(std::size_t size) {
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" + std::string(size, 'x');
}

void serve_http(Peer& peer) {
  static const std::string small = response(1 << 10), large = response(100 << 10);
  for (;;) {
    const std::size_t read_away = std::min(peer.body, peer.in.size());
    peer.in.erase(0, read_away);
    peer.body -= read_away;
    if (peer.body > 0) return;
    if (peer.answer) peer.out += *std::exchange(peer.answer, nullptr);
    const auto end = peer.in.find("\r\n\r\n");
    if (end == std::string::npos) return;
    const auto length = peer.in.find("Content-Length: ");
    if (length < end) peer.body = std::strtoull(peer.in.c_str() + length + 16, nullptr, 10);
    const bool wants_large = std::string_view(peer.in).substr(0, peer.in.find('\r')).find("/100k") != std::string_view::npos;
    peer.answer = wants_large ? &large : &small;
    peer.in.erase(0, end + 4);
  }
}

void serve_websocket(Peer& peer) {
  if (!peer.switched) {
    const auto end = peer.in.find("\r\n\r\n");
    if (end == std::string::npos) return;
    peer.in.erase(0, end + 4);
    peer.out += "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n";
    peer.switched = true;
  }
  peer.out += peer.in;
  peer.in.clear();
}

std::string record(int type, std::string_view request_id, std::string_view content) {
  std::string text{1, char(type)};
  text.append(request_id).append({char(content.size() >> 8), char(content.size()), 0, 0}).append(content);
  return text;
}

// A request ends with an empty record of its body.
void serve_fastcgi(Peer& peer) {
  constexpr std::size_t kHead = 8;
  constexpr int kEnd = 3, kStdin = 5, kStdout = 6;
  while (peer.in.size() >= kHead) {
    const auto byte = [&](std::size_t at) { return std::size_t(static_cast<unsigned char>(peer.in[at])); };
    const std::size_t content = byte(4) << 8 | byte(5), whole = kHead + content + byte(6);
    if (peer.in.size() < whole) return;
    if (byte(1) == kStdin && content == 0) {
      const std::string id = peer.in.substr(2, 2);
      peer.out += record(kStdout, id, "Content-Type: text/plain\r\n\r\nhello") + record(kStdout, id, {}) +
                  record(kEnd, id, std::string(8, '\0'));
    }
    peer.in.erase(0, whole);
  }
}

class Backend {
 public:
  Backend(int port, void (*serve)(Peer&)) : serve_(serve), poll_(::epoll_create1(EPOLL_CLOEXEC)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(std::uint16_t(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) bench::die("bind");
    if (::listen(listener_, 1024) != 0) bench::die("listen");
    watch(EPOLL_CTL_ADD, listener_, EPOLLIN);
    watch(EPOLL_CTL_ADD, 0, EPOLLIN);
  }

  void run() {
    for (;;) {
      epoll_event events[256];
      const int n = ::epoll_wait(poll_, events, 256, -1);
      for (int i = 0; i < n; ++i) {
        const int fd = events[i].data.fd;
        if (fd == 0) return;
        if (fd == listener_) accept_all();
        else if (!step(fd)) close(fd);
      }
    }
  }

 private:
  void watch(int what, int fd, std::uint32_t events) {
    epoll_event event{events, {}};
    event.data.fd = fd;
    if (::epoll_ctl(poll_, what, fd, &event) != 0) bench::die("epoll_ctl");
  }
  void accept_all() {
    const int on = 1;
    for (int fd; (fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0;) {
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      peers_.emplace(fd, Peer());
      watch(EPOLL_CTL_ADD, fd, EPOLLIN);
    }
  }
  void close(int fd) {
    ::close(fd);
    peers_.erase(fd);
  }
  // False: it has ended.
  bool step(int fd) {
    static char data[1 << 18];
    Peer& peer = peers_.at(fd);
    if (peer.out.empty()) {
      const ssize_t n = ::recv(fd, data, sizeof data, 0);
      if (n == 0 || (n < 0 && errno != EAGAIN)) return false;
      if (n > 0) peer.in.append(data, std::size_t(n));
      serve_(peer);
    }
    while (!peer.out.empty()) {
      const ssize_t n = ::send(fd, peer.out.data(), peer.out.size(), MSG_NOSIGNAL);
      if (n < 0 && errno != EAGAIN) return false;
      if (n < 0) break;
      peer.out.erase(0, std::size_t(n));
    }
    if (peer.waits != !peer.out.empty()) {
      peer.waits = !peer.out.empty();
      watch(EPOLL_CTL_MOD, fd, peer.waits ? EPOLLOUT : EPOLLIN);
    }
    return true;
  }

  void (*serve_)(Peer&);
  int poll_, listener_;
  std::unordered_map<int, Peer> peers_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::string kind = argc == 3 ? argv[1] : "";
  void (*const serve)(Peer&) = kind == "http"        ? serve_http
                               : kind == "fastcgi"   ? serve_fastcgi
                               : kind == "websocket" ? serve_websocket
                                                     : nullptr;
  if (!serve) return std::fputs("usage: bench_backend http|fastcgi|websocket PORT\n", stderr), 2;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  Backend backend(std::atoi(argv[2]), serve);
  std::puts("ready");
  std::fflush(stdout);
  backend.run();
  return 0;
}
