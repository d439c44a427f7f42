// The page and the variables that count connections (stub_status).
#include <signal.h>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/h2_client.h"
#include "e2e/probe.h"
#include "e2e/server.h"
#include "e2e/timing.h"

using namespace test;

namespace {

const std::string kServer = with_probe(
    "server { listen 127.0.0.1:%%PORT_0%%; http2 on; add_header X-Active $connections_active; location /stub { stub_status; } "
    "location /under/ { stub_status on; location /under/it { return 200 ok; } } location / { root %%DIR%%/html; } "
    "location /slow { probe_wait 30s; } }");

class Counts {
 public:
  long active = -1, accepted = -1, handled = -1, requests = -1, reading = -1, writing = -1, waiting = -1;
};

Counts counts(const Server& s) {
  const Response response = get(s.url("/stub"));
  CHECK(response.header("Content-Type") == "text/plain");
  Counts c;
  CHECK(std::sscanf(response.body.c_str(),
                    "Active connections: %ld \nserver accepts handled requests\n %ld %ld %ld \nReading: %ld Writing: %ld Waiting: %ld \n",
                    &c.active, &c.accepted, &c.handled, &c.requests, &c.reading, &c.writing, &c.waiting) == 7);
  return c;
}

// Connections close a moment after their last response.
bool become(const Server& s, const std::function<bool(const Counts&)>& check) {
  return wait_until([&] { return check(counts(s)); });
}

}  // namespace

TEST_CASE("the page says how many connections there are, in what state, and how many there were") {
  Server s(kServer, {{"html/a", "text"}});
  const Counts first = counts(s);
  CHECK(first.active == 1);
  CHECK(first.writing == 1);
  CHECK(first.reading + first.waiting == 0);
  CHECK(first.accepted == 1);
  CHECK(first.handled == 1);
  CHECK(first.requests == 1);
  CHECK(counts(s).requests == 2);
  RawClient client(s.port());
  CHECK(become(s, [](const Counts& c) { return c.active == 2 && c.waiting == 1 && c.writing == 1; }));
  client.send("GET /slow HTTP/1.1\r\n");
  CHECK(become(s, [](const Counts& c) { return c.reading == 1 && c.waiting == 0 && c.writing == 1; }));
  client.send("Host: a\r\n\r\n");
  CHECK(become(s, [](const Counts& c) { return c.reading == 0 && c.waiting == 0 && c.writing == 2; }));
  RawClient idle(s.port());
  idle.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(idle.read_response().header("X-Active") == "2");
  CHECK(become(s, [](const Counts& c) { return c.waiting == 1 && c.active == 3; }));
}

TEST_CASE("over HTTP/2 requests are written, and a connection without one waits") {
  Server s(kServer);
  H2Client client(s.port());
  client.request(1, "/slow");
  client.request(3, "/slow");
  CHECK(become(s, [](const Counts& c) { return c.active == 2 && c.writing == 3 && c.waiting == 0; }));
  client.reset(1);
  client.reset(3);
  CHECK(become(s, [](const Counts& c) { return c.active == 2 && c.writing == 1 && c.waiting == 1; }));
}

TEST_CASE("totals go on over reloads and crashes, and connections of older workers count until they end") {
  Server s(kServer);
  s.allow("exited on signal 9|is taken back");
  RawClient slow(s.port());
  slow.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(become(s, [](const Counts& c) { return c.writing == 2; }));
  const Counts before = counts(s);
  REQUIRE(s.reload());
  const Counts after = counts(s);
  CHECK(after.requests == before.requests + 1);
  CHECK(after.writing == 2);
  const pid_t worker = serving_process(s);
  REQUIRE(::kill(worker, SIGKILL) == 0);
  REQUIRE(s.wait_for_log("worker process " + std::to_string(worker) + " exited on signal 9"));
  REQUIRE(wait_until([&] { return serving_process(s) > 0 && serving_process(s) != worker; }));
  CHECK(counts(s).requests == before.requests + 2);
}

TEST_CASE("the page is for GET and HEAD, and for its location alone") {
  Server s(kServer);
  Request request;
  request.url = s.url("/stub");
  request.method = "POST";
  CHECK(fetch(request).status == 405);
  CHECK(get(s.url("/under/it")).body == "ok");
  CHECK(get(s.url("/under/")).body.starts_with("Active connections: "));
}
