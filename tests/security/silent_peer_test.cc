// B30 in full (tests/soak): peers that vanish without a word, as behind a firewall that forgets them.
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <deque>

#include "catch.h"
#include "e2e/timing.h"

using namespace std::chrono_literals;
using namespace test;

namespace {

// The loopback interface of a network namespace of this process's own.
void set_loopback(bool up) {
  const seawall::Fd any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  request.ifr_name[0] = 'l';
  request.ifr_name[1] = 'o';
  request.ifr_flags = up ? IFF_UP : 0;
  REQUIRE(::ioctl(any.get(), SIOCSIFFLAGS, &request) == 0);
}

}  // namespace

// All but who is being sent to: there send_timeout (60 s) is what the operator has said, and the kernel waits as long.
TEST_CASE("peers that vanish in silence are gone in 70 s, whatever they were at", "[.][soak]") {
  REQUIRE((::unshare(CLONE_NEWNET) == 0 || ::unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0));
  set_loopback(true);
  Server s(with_probe("client_header_timeout 600s; client_body_timeout 600s; keepalive_timeout 600s; handler_timeout 600s;"
                      "server { listen 127.0.0.1:%%PORT_0%%; location / { return 200 ok; } location /body { probe_read on; }"
                      "location /stream { probe_stream 100000 10000; } location /wait { probe_wait 600s; } }"));
  const auto connected = [&](const std::string& sent) {
    RawClient c(s.port(), "127.0.0.1", 4096);
    c.send(sent);
    return c;
  };
  const std::string fields = " HTTP/1.1\r\nHost: a\r\n";
  connected("GET /" + fields + "\r\n").read_response();
  const pid_t worker = serving_process(s);
  const int before = settled_descriptors(worker);
  std::deque<RawClient> peers;
  for (const std::string& sent : {std::string(), "GET /" + fields, "GET /" + fields + "\r\n", "POST /body" + fields + "Content-Length: 9\r\n\r\n",
                                  "GET /stream" + fields + "\r\n", "GET /wait" + fields + "\r\n"})
    peers.push_back(connected(sent));
  REQUIRE(wait_until([&] { return open_descriptors(worker) == before + int(peers.size()); }));
  CHECK(peers[2].read_response().status == 200);
  peers[4].read(1);
  set_loopback(false);
  CHECK(wait_until([&] { return open_descriptors(worker) <= before; }, 70s));
  set_loopback(true);
  s.stop();
}
