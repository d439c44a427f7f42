// B30, B31: what the kernel is told about client sockets, so that a peer that has silently gone is found out.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/h2_client.h"
#include "e2e/timing.h"
#include "e2e/websocket_echo.h"

using namespace std::chrono_literals;
using namespace test;

namespace {

const std::string kDefault = "nodelay=1 keepalive=1 idle=30 interval=10 count=3 user_timeout=30000";

std::string listening(const std::string& options) {
  return with_probe("server { listen 127.0.0.1:%%PORT_0%% " + options + "; probe_socket on; }");
}

int port_of(int fd, int (*name)(int, sockaddr*, socklen_t*)) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  return name(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0 && address.sin_family == AF_INET ? ntohs(address.sin_port) : -1;
}

// The server's end of this client's connection: a descriptor of our own for it. Nothing: we may not have it.
seawall::Fd other_end(const Server& s, const RawClient& c) {
  const pid_t worker = serving_process(s);
  const seawall::Fd process(static_cast<int>(::syscall(SYS_pidfd_open, worker, 0)));
  const int own = port_of(c.fd(), ::getsockname);
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(worker) + "/fd")) {
    seawall::Fd fd(static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), std::stoi(entry.path().filename().string()), 0)));
    if (!fd) continue;
    if (port_of(fd.get(), ::getpeername) == own) return fd;
  }
  return seawall::Fd();
}

int user_timeout(int fd) {
  int value = -1;
  socklen_t size = sizeof value;
  ::getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &value, &size);
  return value;
}

std::string streaming(const std::string& settings) {
  return with_probe("server { listen 127.0.0.1:%%PORT_0%%; http2 on; " + settings +
                    " location / { return 200 ok; } location /stream { probe_stream 1000 10000; } }");
}

}  // namespace

TEST_CASE("client sockets are probed after 30 s of silence and given up 30 s later") {
  Server s(listening(""));
  CHECK(get(s.url()).body == kDefault);
}

TEST_CASE("so_keepalive keeps nginx's meaning") {
  CHECK(get(Server(listening("so_keepalive=10m:20:5")).url()).body ==
        "nodelay=1 keepalive=1 idle=600 interval=20 count=5 user_timeout=0");
  CHECK_THAT(get(Server(listening("so_keepalive=off")).url()).body, Catch::Matchers::StartsWith("nodelay=1 keepalive=0 "));
}

TEST_CASE("a socket that is handed to the next configuration gets that one's options") {
  Server s(listening(""));
  REQUIRE(s.reload(listening("so_keepalive=40:7:2")));
  CHECK(get(s.url()).body == "nodelay=1 keepalive=1 idle=40 interval=7 count=2 user_timeout=0");
  REQUIRE(s.reload(listening("")));
  CHECK(get(s.url()).body == kDefault);
}

TEST_CASE("TLS and reuseport sockets get them, too, and a unix socket needs none") {
  Server s(with_probe("server { listen 127.0.0.1:%%PORT_0%% reuseport; listen unix:%%DIR%%/s.sock; probe_socket on; }", "worker_processes 2;"));
  for (int i = 0; i < 8; ++i) CHECK(get(s.url()).body == kDefault);
  Request request;
  request.url = "http://a/";
  request.unix_socket = s.folder() + "/s.sock";
  CHECK(fetch(request).status == 200);
}

TEST_CASE("a client that keeps its window shut has send_timeout, not what the kernel gives those that are gone") {
  for (const auto& [settings, expected] : {std::pair{"send_timeout 100s;", 100'000}, {"send_timeout 0;", 0}, {"send_timeout 5s;", 30'000}}) {
    INFO(settings);
    Server s(streaming(settings));
    RawClient c(s.port(), "127.0.0.1", 65536);
    c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(c.read_response().body == "ok");
    const seawall::Fd end = other_end(s, c);
    if (!end) {
      WARN("another process's descriptors cannot be had here: skipped");
      return;
    }
    CHECK(user_timeout(end.get()) == 30'000);
    c.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(wait_until([&] { return user_timeout(end.get()) == expected; }));
    CHECK(c.read_response().body.size() == 10'000'000);
    c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(c.read_response().body == "ok");
    CHECK(user_timeout(end.get()) == 30'000);  // it has been heard again
  }
}

TEST_CASE("... over HTTP/2, too, and in a tunnel") {
  Server s(streaming("send_timeout 100s;"));
  H2Client c(s.port());
  c.request(1, "/");
  CHECK(c.read_response(1).body == "ok");
  const seawall::Fd end = other_end(s, c.raw());
  if (!end) {
    WARN("another process's descriptors cannot be had here: skipped");
    return;
  }
  c.send_frame(NGHTTP2_SETTINGS, 0, 0, setting_bytes(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0x7fffffff));
  c.open_window(0, 0x7fff0000);
  c.request(3, "/stream");
  CHECK(wait_until([&] { return user_timeout(end.get()) == 100'000; }));
  CHECK(c.read_response(3).body.size() == 10'000'000);
  c.request(5, "/");
  CHECK(c.read_response(5).body == "ok");
  CHECK(user_timeout(end.get()) == 30'000);
  const auto echo = WebSocketEcho::start();
  if (!echo) return;
  Server tunnels("server { listen 127.0.0.1:%%PORT_0%%; send_timeout 100s; location / { proxy_pass " + echo->url() +
                 "; proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; } }");
  RawClient t(tunnels.port());
  t.send("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n");
  t.read_until("\r\n\r\n");
  const seawall::Fd tunnel = other_end(tunnels, t);
  CHECK(wait_until([&] { return user_timeout(tunnel.get()) == 100'000; }));
}

// In full (tests/soak): the kernel's 30 s pass.
TEST_CASE("a client that keeps its window shut for 45 s gets all where send_timeout is longer", "[.][soak]") {
  Server s(streaming("send_timeout 100s; send_min_rate 0;"));
  RawClient c(s.port(), "127.0.0.1", 65536);
  c.send("GET /stream HTTP/1.1\r\nHost: a\r\n\r\n");
  ::poll(nullptr, 0, 45'000);
  CHECK(c.read_response(false, 60s).body.size() == 10'000'000);
}
