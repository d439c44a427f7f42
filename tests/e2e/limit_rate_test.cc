// How fast a response may go (limit_rate, limit_rate_after). Only lower bounds: a machine may always be slower.
#include "catch.h"
#include "e2e/certificate.h"
#include "e2e/curl.h"
#include "e2e/h2_client.h"
#include "e2e/server.h"
#include "e2e/timing.h"

using namespace test;
using std::chrono::milliseconds;

namespace {

std::string server(std::string_view inside) {
  return std::string("server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%/html; ").append(inside).append(" }");
}

const std::string kText(60'000, 'x');
const Files kFiles{{"html/a", kText}};

class Taken {
 public:
  int status = 0;
  std::string body;
  Clock::duration time{};
};

Taken take(const std::string& url) {
  const auto begin = Clock::now();
  Response response = get(url);
  Taken taken;
  taken.status = response.status;
  taken.body = std::move(response.body);
  taken.time = Clock::now() - begin;
  return taken;
}

}  // namespace

TEST_CASE("a response goes as fast as limit_rate says, behind what is free and a second's worth") {
  // 60,000 bytes: 20,000 are free, 20,000 of the first second go at once, and 20,000 take a second.
  const std::string rate = "limit_rate 20000; limit_rate_after 20000; ";
  const std::string sendfile = GENERATE("sendfile on;", "sendfile off;");
  Server s(server(rate + sendfile), kFiles);
  const Taken taken = take(s.url("/a"));
  CHECK(taken.body == kText);
  CHECK(taken.time >= milliseconds(900));
}

TEST_CASE("over HTTP/2 each stream has its own rate") {
  const std::string text(30'000, 'z');  // two of them fit into the connection's window
  Server s(server("http2 on; limit_rate 10000; limit_rate_after 10000;"), {{"html/a", text}});
  H2Client client(s.port());
  const auto begin = Clock::now();
  client.request(1, "/a");
  client.request(3, "/a");
  CHECK(client.read_response(1).body == text);
  CHECK(Clock::now() - begin >= milliseconds(900));
  CHECK(client.read_response(3).body == text);
}

TEST_CASE("over TLS, too") {
  const Certificate made = make_certificate({"localhost"});
  Server s("server { listen 127.0.0.1:%%PORT_0%% ssl; http2 off; root %%DIR%%/html; ssl_certificate %%DIR%%/a.crt; ssl_certificate_key "
           "%%DIR%%/a.key; limit_rate 20000; limit_rate_after 20000; }", {{"html/a", kText}, {"a.crt", made.certificate}, {"a.key", made.key}});
  const Taken taken = take(s.tls_url("/a"));
  CHECK(taken.body == kText);
  CHECK(taken.time >= milliseconds(900));
}

TEST_CASE("neither send_timeout nor send_min_rate ends a response that we hold back") {
  const bool h2 = GENERATE(false, true);
  Server s(server("http2 on; limit_rate 500; send_timeout 200ms; send_min_rate 1000; location /b { return 200 " + std::string(1200, 'y') + "; }"));
  Request request;
  request.url = s.url("/b");
  request.http2 = h2;
  const auto begin = Clock::now();
  CHECK(fetch(request).body == std::string(1200, 'y'));
  CHECK(Clock::now() - begin >= milliseconds(900));
}

TEST_CASE("a client that leaves while its response is held back is noticed, and one that sends its next request is served") {
  Server s(server("limit_rate 100; access_log %%DIR%%/access.log; location /b { limit_rate 0; set $limit_rate 900; return 200 " +
                  std::string(2000, 'y') + "; }"), kFiles);
  {
    RawClient client(s.port());
    client.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(client.read_until("\r\n").starts_with("HTTP/1.1 200"));
  }
  CHECK(s.wait_for_log("GET /a", "access.log"));
  RawClient client(s.port());
  client.send("GET /b HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(client.read_until("\r\n").starts_with("HTTP/1.1 200"));
  client.send("GET /b HTTP/1.1\r\nHost: a\r\n\r\n");
  client.read_until(std::string(2000, 'y'));
  CHECK(client.read_response().body == std::string(2000, 'y'));
}

TEST_CASE("the rate may be a variable, which says nothing when it is empty or no size") {
  Server s(server("limit_rate $arg_l; limit_rate_after $arg_a; send_timeout 5s;"), kFiles);
  CHECK(take(s.url("/a?l=20000&a=20000")).time >= milliseconds(900));
  CHECK(take(s.url("/a")).body == kText);
  CHECK(take(s.url("/a?l=fast")).body == kText);
  CHECK(s.wait_for_log("\\[error\\].*invalid size \"fast\""));
}

TEST_CASE("set $limit_rate goes before the location's, and the variable says it") {
  Server s(server("limit_rate 1; location /fast { set $limit_rate 0; alias %%DIR%%/html/a; } location /slow { limit_rate 0; set $limit_rate 20k; "
                  "add_header X-Rate $limit_rate; alias %%DIR%%/html/a; } location /odd { set $limit_rate odd; return 200 $limit_rate; }"), kFiles);
  CHECK(take(s.url("/fast")).body == kText);
  const auto begin = Clock::now();
  CHECK(get(s.url("/slow")).header("X-Rate") == "20480");
  CHECK(Clock::now() - begin >= milliseconds(1000));
  RawClient client(s.port());
  client.send("HEAD /odd HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(client.read_response(true).status == 200);
  CHECK(s.wait_for_log("invalid \\$limit_rate \"odd\""));
}

TEST_CASE("X-Accel-Limit-Rate of a back end goes before the location's rate") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; limit_rate 1; location /fast { proxy_pass http://127.0.0.1:%%PORT_1%%; } location /slow { "
           "limit_rate 0; limit_rate_after 20000; proxy_pass http://127.0.0.1:%%PORT_1%%; } location /deaf { limit_rate 0; proxy_ignore_headers "
           "X-Accel-Limit-Rate; proxy_pass http://127.0.0.1:%%PORT_1%%; } } "
           "server { listen 127.0.0.1:%%PORT_1%%; root %%DIR%%/html; add_header X-Accel-Limit-Rate $arg_rate; }",
           {{"html/fast", kText}, {"html/slow", kText}, {"html/deaf", kText}});
  CHECK(take(s.url("/fast?rate=0")).body == kText);
  const Taken slow = take(s.url("/slow?rate=20000"));
  CHECK(slow.body == kText);
  CHECK(slow.time >= milliseconds(900));
  CHECK(take(s.url("/deaf?rate=1")).body == kText);
}

TEST_CASE("a rate that is no size is refused") {
  const Run run = check_config("limit_rate fast;");
  CHECK(run.exit_code == 1);
  CHECK_THAT(run.err, Catch::Matchers::ContainsSubstring("\"fast\""));
}
