// health_check and match.
#include <atomic>
#include <mutex>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/fastcgi_peer.h"
#include "e2e/h2_client.h"
#include "e2e/server.h"
#include "e2e/timing.h"
#include "e2e/upstream.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

// A server that answers a check as it is told to, and others with 200 and its letter.
class Checked {
 public:
  explicit Checked(std::string answer, std::string letter = "b")
      : letter_(std::move(letter)), answer_(std::move(answer)), up_([this](RawClient& c) { play(c); }) {}
  void set(const std::string& answer) {
    const std::lock_guard lock(mutex_);
    answer_ = answer;
  }
  int port() const { return up_.port(); }
  std::string seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  std::atomic<int> checks = 0, served = 0;

 private:
  void play(RawClient& c) {
    const std::string head = c.read_until("\r\n\r\n");
    if (!head.starts_with("GET /health")) {
      ++served;
      return c.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n" + letter_);
    }
    const std::lock_guard lock(mutex_);
    seen_ = head;
    c.send(answer_);
    ++checks;
  }
  const std::string letter_;
  std::mutex mutex_;
  std::string answer_, seen_;
  Upstream up_;
};

std::string status(int code) { return "HTTP/1.1 " + std::to_string(code) + " X\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody"; }

std::string site(const Checked& b, const std::string& check, const std::string& more = {}) {
  return more + " upstream u { server 127.0.0.1:%%PORT_1%%; server 127.0.0.1:" + std::to_string(b.port()) +
         "; } server { listen 127.0.0.1:%%PORT_1%%; access_log off; return 200 a; } "
         "server { listen 127.0.0.1:%%PORT_0%%; location / { proxy_pass http://u; proxy_set_header Host well.test; health_check uri=/health?x=1 interval=20ms " +
         check + "; } }";
}

// Nobody but a answers now.
bool only_a(const Server& s) {
  for (int i = 0; i < 6; ++i)
    if (get(s.url("/")).body != "a") return false;
  return true;
}
bool both(const Server& s) {
  std::string seen;
  for (int i = 0; i < 6; ++i) seen += get(s.url("/")).body;
  return seen.find('a') != std::string::npos && seen.find('b') != std::string::npos;
}

}  // namespace

TEST_CASE("a server that fails its health check gets no requests until it passes again") {
  Checked b(status(200));
  Server s("access_log %%DIR%%/a.log; " + site(b, ""));
  CHECK(wait_until([&] { return b.checks > 1; }));
  CHECK(both(s));
  CHECK_THAT(b.seen(), ContainsSubstring("GET /health?x=1 HTTP/1.1\r\n"));
  CHECK_THAT(b.seen(), ContainsSubstring("Host: well.test\r\n"));
  b.set(status(500));
  CHECK(s.wait_for_log("\\[warn\\].*peer is unhealthy while checking status code, health check \"\" of peer 127.0.0.1:.* in upstream \"u\""));
  CHECK(only_a(s));
  b.set(status(302));
  CHECK(s.wait_for_log("\\[notice\\].*peer is healthy, health check"));
  CHECK(both(s));
  CHECK(s.read("a.log").find("/health") == std::string::npos);
}

TEST_CASE("fails and passes count in a row") {
  Checked b(status(500));
  Server s(site(b, "fails=3 passes=3"));
  CHECK(s.wait_for_log("peer is unhealthy"));
  CHECK(b.checks >= 3);
  const int before = b.checks;
  b.set(status(200));
  CHECK(s.wait_for_log("peer is healthy"));
  CHECK(b.checks >= before + 3);
}

TEST_CASE("mandatory: nothing for a server before it has passed") {
  Checked b(status(500));
  Server s(site(b, "mandatory"));
  CHECK(wait_until([&] { return get(s.url("/")).body == "a"; }));
  CHECK(wait_until([&] { return b.checks > 2; }));
  CHECK(only_a(s));
  CHECK(b.served == 0);
  b.set(status(200));
  CHECK(wait_until([&] { return both(s); }));
}

TEST_CASE("match says what an answer must be like") {
  const auto [rules, good, bad] = GENERATE(table<std::string, std::string, std::string>(
      {{"status 200 301-303;", status(302), status(304)},
       {"status ! 400-599 204;", status(200), status(404)},
       {"header X-Well = yes;", "HTTP/1.1 200 OK\r\nX-Well: yes\r\nContent-Length: 0\r\n\r\n", status(200)},
       {"header Content-Length ~ ^4$;", status(500), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
       {"header ! X-Bad;", status(200), "HTTP/1.1 200 OK\r\nX-Bad: 1\r\nContent-Length: 0\r\n\r\n"},
       {"body ~ ody$;", status(200), "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbad!"},
       {"body ~ body;", status(200), "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nbody"},
       {"require $upstream_http_x_well;", "HTTP/1.1 200 OK\r\nX-Well: 1\r\nContent-Length: 0\r\n\r\n", status(200)}}));
  Checked b(good);
  Server s("match well { " + rules + " } server { listen 127.0.0.1:%%PORT_0%%; location / { proxy_pass http://127.0.0.1:" +
           std::to_string(b.port()) + "; health_check uri=/health interval=20ms match=well; } }");
  CHECK(wait_until([&] { return b.checks > 1; }));
  CHECK(get(s.url("/")).body == "b");
  b.set(bad);
  CHECK(s.wait_for_log("peer is unhealthy while (checking|reading) .*health check \"well\""));
  CHECK(get(s.url("/")).status == 502);
}

TEST_CASE("health checks of a port of their own, and of a connection alone") {
  Checked b(status(200)), health(status(200));
  const auto check = GENERATE("port=", "type=tcp port=");
  Server s(site(b, check + std::to_string(health.port())));
  CHECK(wait_until([&] { return get(s.url("/")).status == 200; }));
  CHECK(b.checks == 0);
}

TEST_CASE("a health check over HTTP/2 has a connection of its own, which ends with it") {
  std::atomic<int> ended = 0;
  Upstream up([&](RawClient& c) {
    H2Peer peer(std::move(c));
    const Frame head = peer.wait_for(NGHTTP2_HEADERS);
    peer.respond(head.stream, {{":status", "200"}}, "b");
    if (peer.raw().expect_close(kPatience)) ++ended;
  });
  Server s("upstream u { server 127.0.0.1:" + std::to_string(up.port()) + "; keepalive 8; } server { listen 127.0.0.1:%%PORT_0%%; "
           "location / { proxy_pass http://u; proxy_http_version 2; health_check interval=20ms; } }");
  CHECK(wait_until([&] { return ended >= 3; }));
  CHECK(get(s.url("/")).body == "b");
}

TEST_CASE("a server that cannot be reached fails its health check") {
  const auto type = GENERATE("type=http", "type=tcp");
  Server s(std::string("upstream u { server 127.0.0.1:%%PORT_1%%; server 127.0.0.1:1 max_fails=0; } server { listen 127.0.0.1:%%PORT_1%%; return 200 a; } "
                       "server { listen 127.0.0.1:%%PORT_0%%; location / { proxy_pass http://u; proxy_next_upstream off; health_check interval=50ms ") +
           type + "; } }");
  CHECK(s.wait_for_log("peer is unhealthy while .*health check \"\" of peer 127.0.0.1:1 in"));
  CHECK(only_a(s));
}

TEST_CASE("FastCGI servers are asked in their own language") {
  std::atomic<bool> well = true;
  std::atomic<int> asked = 0;
  Upstream peer([&](RawClient& c) {
    read_fastcgi(c);
    ++asked;
    c.send(fastcgi_response(well ? "Status: 200 OK\r\n\r\nwell" : "Status: 503 No\r\n\r\n"));
  });
  Server s("server { listen 127.0.0.1:%%PORT_0%%; location / { fastcgi_pass 127.0.0.1:" + std::to_string(peer.port()) +
           "; fastcgi_param SCRIPT_NAME /x; health_check interval=20ms; } }");
  CHECK(wait_until([&] { return asked > 1; }));
  CHECK(get(s.url("/")).body == "well");
  well = false;
  CHECK(s.wait_for_log("peer is unhealthy"));
  CHECK(get(s.url("/")).status == 502);
}

TEST_CASE("mistakes of health_check and match are named") {
  const auto [check, message] = GENERATE(table<std::string, std::string>(
      {{"health_check match=none;", "match \"none\" not found"},
       {"health_check interval=0;", "invalid parameter \"interval=0\""},
       {"health_check fails=0;", "invalid parameter \"fails=0\""},
       {"health_check port=70000;", "invalid parameter \"port=70000\""},
       {"health_check uri=health;", "invalid parameter \"uri=health\""},
       {"health_check soon;", "invalid parameter \"soon\""},
       {"health_check; health_check;", "\"health_check\" directive is duplicate"},
       {"health_check type=grpc;", "parameter \"type=grpc\" of \"health_check\" is not supported yet"},
       {"health_check persistent;", "parameter \"persistent\" of \"health_check\" is not supported yet"}}));
  const Run run = check_config("match m { status 200; } server { location / { proxy_pass http://127.0.0.1:1; " + check + " } }");
  CHECK(run.exit_code == 1);
  CHECK_THAT(run.err, ContainsSubstring(message));
  CHECK_THAT(check_config("server { location / { return 200; health_check; } }").err,
             ContainsSubstring("\"health_check\" directive needs servers that its location passes requests to"));
  CHECK_THAT(check_config("match m { status 2x; }").err, ContainsSubstring("invalid parameter \"2x\""));
  CHECK_THAT(check_config("match m { size 2; }").err, ContainsSubstring("unknown directive \"size\""));
}
