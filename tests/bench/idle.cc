// bench_idle PORT COUNT PATH plain|tls|h2|h2_tls|websocket|silent: opens COUNT connections, makes one request on each and leaves
// them idle (silent: without an answer). Prints "ready", holds them until a byte or the end comes on stdin, checks that the server closed none, and ends.
#include <sys/resource.h>

#include <string>
#include <vector>

#include "h2_request.h"
#include "tls_client.h"

namespace {

class Idle {
 public:
  int fd;
  SSL* ssl;
};

bool is_open(const Idle& idle) {
  char byte;
  const auto n = ::recv(idle.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n > 0 || (n < 0 && errno == EAGAIN);  // n > 0: tickets that came late
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return std::fputs("usage: bench_idle PORT COUNT PATH plain|tls|h2|h2_tls|websocket|silent\n", stderr), 2;
  const int port = std::atoi(argv[1]), count = std::atoi(argv[2]);
  const std::string kind = argv[4];
  const bool tls = kind.ends_with("tls"), h2 = kind.starts_with("h2"), websocket = kind == "websocket";
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);

  const std::string line = std::string("GET ") + argv[3] + " HTTP/1.1\r\nHost: localhost\r\n";
  const std::string request = line + (websocket ? "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n" : "\r\n");
  SSL_CTX* const context = bench::make_context();
  std::vector<Idle> all;
  for (int i = 0; i < count; ++i) {
    const int fd = bench::connect_to(port);
    SSL* const ssl = tls ? bench::start_tls(context, fd, nullptr, h2 ? "\x02h2" : "") : nullptr;
    if (h2) bench::H2Request(ssl, fd).run(argv[3]);
    else if (websocket) bench::open_tunnel(fd, request);
    else if (kind == "silent") bench::send_request(ssl, fd, request);
    else bench::one_request(ssl, fd, request);
    all.push_back(Idle{fd, ssl});
  }
  std::puts("ready");
  std::fflush(stdout);
  std::getchar();
  for (const auto& idle : all) {
    if (!is_open(idle)) bench::die("an idle connection was closed");
  }
  return 0;
}
