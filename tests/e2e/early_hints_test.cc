// 103 Early Hints of an upstream, to clients that are to have them.
#include <atomic>
#include <thread>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/h2_client.h"
#include "e2e/server.h"
#include "e2e/upstream.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

namespace {

const std::string kHints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nConnection: close\r\nX-Accel-Buffering: no\r\n\r\n";

// Does not answer before it has been told that the hints have arrived.
class Hinting {
 public:
  Hinting() : upstream_([this](RawClient& c) {
    c.read_until("\r\n\r\n");
    c.send("HTTP/1.1 100 Continue\r\n\r\n" + kHints + kHints);
    while (!arrived_) std::this_thread::yield();
    c.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    c.read_all();
  }) {}
  ~Hinting() { arrived_ = true; }
  std::string url() const { return upstream_.url(); }
  void go_on() { arrived_ = true; }

 private:
  std::atomic<bool> arrived_{false};
  Upstream upstream_;
};

}  // namespace

TEST_CASE("early_hints: 103 goes out before the answer is there, over HTTP/1.1 and HTTP/2") {
  const auto conf = [](const Hinting& up) {
    return "server { listen 127.0.0.1:%%PORT_0%%; http2 on; early_hints $http_x_hints; location / { proxy_pass " + up.url() + "; } }";
  };
  {
    Hinting up;
    Server s(conf(up));
    RawClient c(s.port());
    c.send("GET / HTTP/1.1\r\nHost: a\r\nX-Hints: 1\r\nConnection: close\r\n\r\n");
    for (int i = 0; i < 2; ++i) CHECK(c.read_until("\r\n\r\n") == "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n");
    up.go_on();
    CHECK_THAT(c.read_all(), StartsWith("HTTP/1.1 200 OK\r\n"));
  }
  {
    Hinting up;
    Server s(conf(up));
    H2Client c(s.port());
    c.request(1, "/", {{"x-hints", "1"}});
    CHECK(c.wait_for(NGHTTP2_HEADERS, 1).fields == H2Fields{{":status", "103"}, {"link", "</a.css>; rel=preload"}});
    up.go_on();
    const H2Response r = c.read_response(1);
    CHECK(r.status == 200);
    CHECK(r.body == "ok");
  }
}

TEST_CASE("early_hints: a field that their Connection names ends here") {
  Upstream up([](RawClient& c) {
    c.read_until("\r\n\r\n");
    c.send("HTTP/1.1 103 Early Hints\r\nConnection: X-Hop\r\nX-Hop: 1\r\nX-End: 1\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n");
    c.read_all();
  });
  Server s("server { listen 127.0.0.1:%%PORT_0%%; early_hints 1; location / { proxy_pass " + up.url() + "; } }");
  RawClient c(s.port());
  c.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  CHECK(c.read_until("\r\n\r\n") == "HTTP/1.1 103 Early Hints\r\nX-End: 1\r\n\r\n");
  CHECK_THAT(c.read_all(), StartsWith("HTTP/1.1 204"));
}

TEST_CASE("early_hints: who is not to have them gets the answer alone") {
  const std::string more = GENERATE(as<std::string>(), "", "early_hints $http_x_none 0;", "early_hints 1; subrequest", "early_hints 1; old");
  INFO(more);
  Hinting up;
  up.go_on();
  const bool inside = more.ends_with("subrequest"), old = more.ends_with("old");
  Server s("server { listen 127.0.0.1:%%PORT_0%%; " + more.substr(0, more.find(';') + 1) + " location / { " +
           (inside ? "add_before_body /hinting; addition_types *; return 200 own; " : "proxy_pass " + up.url() + "; ") +
           "} location /hinting { proxy_pass " + up.url() + "; } }");
  RawClient c(s.port());
  c.send(old ? "GET / HTTP/1.0\r\n\r\n" : "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string all = c.read_all();
  CHECK_THAT(all, StartsWith("HTTP/1.1 200 OK\r\n"));
  CHECK_THAT(all, !ContainsSubstring("103 Early"));
}

TEST_CASE("early_hints: more than proxy_buffer_size of them is not passed on") {
  Upstream up([](RawClient& c) {
    c.read_until("\r\n\r\n");
    c.send("HTTP/1.1 103 Early Hints\r\nLink: " + std::string(600, 'a') + "\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: " + std::string(600, 'b') +
           "\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    c.read_all();
  });
  Server s("server { listen 127.0.0.1:%%PORT_0%%; early_hints 1; proxy_buffer_size 1k; location / { proxy_pass " + up.url() + "; } }");
  RawClient c(s.port());
  c.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const std::string all = c.read_all();
  CHECK_THAT(all, ContainsSubstring("aaa") && !ContainsSubstring("bbb") && ContainsSubstring("\r\n\r\nok"));
  CHECK(s.wait_for_log("upstream sent too big early hints"));
}
