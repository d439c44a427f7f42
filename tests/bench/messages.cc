// bench_messages PORT CONNECTIONS SECONDS PATH: WebSockets that each send a message of 64 bytes, wait for it to come back, and send
// the next. Prints how many came back. One thread.
#include <poll.h>

#include <chrono>
#include <string>
#include <vector>

#include "tls_client.h"

namespace {

constexpr std::size_t kMessage = 64;

int open_websocket(int port, const std::string& path) {
  const int fd = bench::connect_to(port);
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                              "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
  bench::open_tunnel(fd, request);
  return fd;
}

void send_message(int fd) {
  // A masked frame of 58 bytes, with a mask of zeros.
  static const std::string frame = std::string("\x82\xba\0\0\0\0", 6) + std::string(kMessage - 6, 'x');
  if (::send(fd, frame.data(), frame.size(), MSG_NOSIGNAL) != long(frame.size())) bench::die("send");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return std::fputs("usage: bench_messages PORT CONNECTIONS SECONDS PATH\n", stderr), 2;
  const int count = std::atoi(argv[2]), seconds = std::atoi(argv[3]);
  std::vector<pollfd> all;
  for (int i = 0; i < count; ++i) all.push_back({open_websocket(std::atoi(argv[1]), argv[4]), POLLIN, 0});
  std::vector<std::size_t> have(all.size());
  for (const pollfd& one : all) send_message(one.fd);
  std::uint64_t done = 0;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  while (std::chrono::steady_clock::now() < until) {
    if (::poll(all.data(), all.size(), 1000) < 0) bench::die("poll");
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (!all[i].revents) continue;
      char data[kMessage];
      const ssize_t n = ::recv(all[i].fd, data, kMessage - have[i], 0);
      if (n <= 0) bench::die("recv");
      have[i] += std::size_t(n);
      if (have[i] < kMessage) continue;
      have[i] = 0;
      ++done;
      send_message(all[i].fd);
    }
  }
  std::printf("%llu\n", static_cast<unsigned long long>(done));
  return 0;
}
