// What connections do at this moment (B41): each state, and that all of them together are the sockets that are open.
#include <atomic>
#include <thread>

#include "catch.h"
#include "e2e/busy.h"
#include "e2e/certificate.h"
#include "e2e/counts.h"
#include "e2e/curl.h"
#include "e2e/h2_client.h"
#include "e2e/probe.h"
#include "e2e/raw_client.h"
#include "e2e/server.h"
#include "e2e/timing.h"
#include "e2e/upstream.h"
#include "seawall/server/loop_counts.h"

using namespace test;
using seawall::ConnState;

namespace {

const std::string kHost = " HTTP/1.1\r\nHost: a\r\n";

// 0: plain, 1: TLS, 2: HTTP/2, 3: WebSockets of this upstream.
std::string site(const Upstream& up) {
  return with_probe("ssl_certificate a.crt; ssl_certificate_key a.key; root %%DIR%%; access_log off; keepalive_requests 1000000; "
                    "server { listen 127.0.0.1:%%PORT_0%%; listen 127.0.0.1:%%PORT_1%% ssl; "
                    "location /counts { probe_counts on; } location /ok { return 200 ok; } location /body { probe_read on; } "
                    "location /slow { probe_wait 60s; } location /big { } location /linger { lingering_close always; return 200 ok; } } "
                    "server { listen 127.0.0.1:%%PORT_2%%; http2 on; location /ok { return 200 ok; } location /slow { probe_wait 60s; } } "
                    "server { listen 127.0.0.1:%%PORT_3%%; location / { proxy_pass " + up.url() + "; proxy_http_version 1.1; "
                    "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; } }");
}

Files files() {
  const auto made = make_certificate({"localhost"});
  return {{"a.crt", made.certificate}, {"a.key", made.key}, {"big", std::string(8 << 20, 'x')}};
}

void switch_protocols(RawClient& c) {
  c.read_until("\r\n\r\n");
  c.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n");
  c.expect_close(kPatience);
}

std::uint64_t sum_of_states(const std::string& counts) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < seawall::kConnStates; ++i) sum += count_in(counts, "states", i);
  return sum;
}

// Clients that come and go in all ways, until it dies.
class Churn {
 public:
  Churn(const Server& s, int way) : thread_([this, &s, way] { run(s, way); }) {}
  ~Churn() {
    stop_ = true;
    thread_.join();
  }

 private:
  void run(const Server& s, int way) {
    for (int i = way; !stop_; ++i) try {
        one(s, i % 8);
      } catch (const std::exception&) {
        continue;  // a busy machine's: the next one
      }
  }
  static void one(const Server& s, int way) {
    switch (way) {
      case 0: RawClient(s.port()).send("GET /ok" + kHost + "Connection: close\r\n\r\n"); break;
      case 1: RawClient(s.port()).reset(); break;
      case 2: RawClient(s.port()).send("GET /o"); break;
      case 3: RawClient(s.port(1)).start_tls(); break;
      case 4: RawClient(s.port(), "127.0.0.1", 4096).send("GET /big" + kHost + "\r\n"); break;
      case 5: RawClient(s.port()).send("POST /body" + kHost + "Content-Length: 10\r\n\r\nabc"); break;
      case 6: {
        H2Client client(s.port(2));
        client.request(1, "/ok");
        client.read_response(1);
        client.request(3, "/slow");
        break;
      }
      default: {
        RawClient client(s.port());
        client.send("GET /linger" + kHost + "Connection: close\r\n\r\n");
        client.read_response();
      }
    }
  }
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace

TEST_CASE("each state that a connection can be in is counted (B41)") {
  Upstream up(switch_protocols);
  Server s(site(up), files());
  const auto becomes = [&](ConnState state, std::uint64_t n) {
    return wait_until([&] { return count_in(get(s.url("/counts")).body, "states", static_cast<std::size_t>(state)) == n; });
  };
  CHECK(becomes(ConnState::handler, 1));  // who asks
  RawClient fresh(s.port());
  CHECK(becomes(ConnState::new_, 1));
  RawClient shaking(s.port(1));
  shaking.send("\x16");
  CHECK(becomes(ConnState::handshake, 1));
  RawClient head(s.port());
  head.send("GET /o");
  CHECK(becomes(ConnState::header, 1));
  RawClient body(s.port());
  body.send("POST /body" + kHost + "Content-Length: 10\r\n\r\nabc");
  CHECK(becomes(ConnState::body, 1));
  RawClient handler(s.port());
  handler.send("GET /slow" + kHost + "\r\n");
  CHECK(becomes(ConnState::handler, 2));
  RawClient sending(s.port(), "127.0.0.1", 4096);
  sending.send("GET /big" + kHost + "\r\n");
  CHECK(becomes(ConnState::send, 1));
  RawClient idle(s.port());
  idle.send("GET /ok" + kHost + "\r\n");
  CHECK(idle.read_response().status == 200);
  CHECK(becomes(ConnState::idle, 1));
  H2Client h2(s.port(2));
  h2.request(1, "/slow");
  CHECK(becomes(ConnState::h2, 1));
  RawClient tunnel(s.port(3));
  tunnel.send("GET /" + kHost + "Upgrade: websocket\r\nConnection: upgrade\r\n\r\n");
  CHECK(tunnel.read_response().status == 101);
  CHECK(becomes(ConnState::tunnel, 1));
  RawClient lingering(s.port());
  lingering.send("GET /linger" + kHost + "Connection: close\r\n\r\n");
  CHECK(lingering.read_response().status == 200);
  CHECK(becomes(ConnState::linger, 1));
  CHECK(wait_until([&] {
    const std::string counts = get(s.url("/counts")).body;
    return sum_of_states(counts) == 11 && count_in(counts, "sockets") == 11;
  }));
}

TEST_CASE("the states of connections add up to the open sockets of clients at each look under load (B41)") {
  Upstream up(switch_protocols);
  Server s(site(up), files());
  int looks = 0;
  std::uint64_t most = 0;
  {
    const Busy busy(s.url("/ok"));
    const Churn churns[] = {{s, 0}, {s, 3}, {s, 6}};
    Curl curl;
    Request request;
    request.url = s.url("/counts");
    const auto end = Clock::now() + std::chrono::seconds(3);
    while (looks < 300 && (looks < 50 || Clock::now() < end)) {
      const std::string counts = curl.fetch(request).body;
      const std::uint64_t sum = sum_of_states(counts);
      most = std::max(most, sum);
      INFO(counts);
      REQUIRE(sum == count_in(counts, "sockets"));
      ++looks;
    }
  }
  CHECK(most > 3);
  // Nothing drifts: when all have left, who asks is alone.
  CHECK(wait_until([&] { return sum_of_states(get(s.url("/counts")).body) == 1; }));
}

// Minutes, so not every time: tests/soak/run.
TEST_CASE("no state has drifted after a million connections (B41)", "[.][soak]") {
  constexpr std::uint64_t kConnections = 1'000'000;
  Upstream up(switch_protocols);
  Server s(site(up), files());
  {
    const Churn churns[] = {{s, 0}, {s, 2}, {s, 4}, {s, 6}};
    Curl curl;
    Request request;
    request.url = s.url("/counts");
    for (std::uint64_t accepted = 0; accepted < kConnections;) {
      const std::string counts = curl.fetch(request).body;
      INFO(counts);
      REQUIRE(sum_of_states(counts) == count_in(counts, "sockets"));
      accepted = count_in(counts, "accepted");
    }
  }
  CHECK(wait_until([&] { return sum_of_states(get(s.url("/counts")).body) == 1; }));
}
