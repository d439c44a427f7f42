// mirror: copies of requests to other locations.
#include <algorithm>
#include <future>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/probe.h"
#include "e2e/server.h"
#include "e2e/upstream.h"

using namespace std::chrono_literals;
using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

// Copies write who they are and what they have into copies.log.
std::string server(std::string_view inside) {
  std::string text("log_format copy '$status $request_method $uri?$args $content_length [$request_body]';"
                   " server { listen 127.0.0.1:%%PORT_0%%; http2 on; root %%DIR%%/www; access_log off; ");
  return with_probe(text.append(inside).append(" }"));
}

std::string copy(const std::string& name, std::string_view inside = "probe_read on;") {
  return " location = /" + name + " { internal; log_subrequest on; access_log %%DIR%%/copies.log copy; " + std::string(inside) + " }";
}

const Files kFiles{{"www/index.html", "in"}, {"www/off.html", "in"}};

Response post(const Server& s, const std::string& path, const std::string& body, bool http2 = false) {
  Request request;
  request.url = s.url(path);
  request.method = "POST";
  request.body = body;
  request.http2 = http2;
  return fetch(request);
}

}  // namespace

TEST_CASE("mirror sends copies with method, arguments and body, and their answers nowhere") {
  Server s(server("location / { mirror /one; mirror /two; probe_read on; }" + copy("one") + copy("two", "return 500;")), kFiles);
  CHECK(get(s.url("/?a=b")).status == 200);
  CHECK(s.wait_for_log("^200 GET /one\\?a=b - \\[-\\]$", "copies.log"));
  CHECK(s.wait_for_log("^500 GET /two\\?a=b - \\[-\\]$", "copies.log"));
  const Response r = post(s, "/x?c", "hello");
  CHECK(r.status == 200);
  CHECK(r.body == "hello");
  CHECK(s.wait_for_log("^200 POST /one\\?c 5 \\[hello\\]$", "copies.log"));
}

TEST_CASE("mirror over HTTP/2") {
  Server s(server("location / { mirror /one; probe_read on; }" + copy("one")), kFiles);
  CHECK(post(s, "/", "hello", true).body == "hello");
  CHECK(s.wait_for_log("^200 POST /one\\?- 5 \\[hello\\]$", "copies.log"));
}

TEST_CASE("mirror_request_body off sends copies without a body") {
  Server s(server("location / { mirror /one; mirror_request_body off; probe_read on; }" + copy("one")), kFiles);
  CHECK(post(s, "/", "hello").body == "hello");
  CHECK(s.wait_for_log("^200 POST /one\\?- .* \\[-\\]$", "copies.log"));
}

TEST_CASE("a response does not wait for its copies, which outlive the client") {
  Server s(server("location / { mirror /slow; }" + copy("slow", "probe_wait 500ms; probe_read on;")), kFiles);
  const auto before = Clock::now();
  CHECK(get(s.url()).body == "in");
  if (kStrictTimes) CHECK(Clock::now() - before < 400ms);
  CHECK(s.wait_for_log("^200 GET /slow\\?- - \\[-\\]$", "copies.log"));
}

TEST_CASE("a copy of a request that has become a tunnel still has the request's text") {
  std::promise<void> tunnel_stands;
  Upstream tunnel([](RawClient& c) {
    c.read_until("\r\n\r\n");
    c.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nhi");
    c.read_all();
  });
  Upstream slow([&](RawClient& c) {
    c.read_until("\r\n\r\n");
    tunnel_stands.get_future().wait_for(kPatience);
    c.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  });
  Server s("log_format words '$host $http_x_word'; server { listen 127.0.0.1:%%PORT_0%%; access_log off; location / { mirror /copy; proxy_pass " +
           tunnel.url() + "; } location = /copy { internal; log_subrequest on; access_log %%DIR%%/copies.log words; proxy_pass " + slow.url() + "; } }");
  RawClient c(s.port());
  c.send("GET / HTTP/1.1\r\nHost: Site.TEST\r\nX-Word: kept\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  c.read_until("\r\n\r\nhi");
  tunnel_stands.set_value();
  CHECK(s.wait_for_log("^site.test kept$", "copies.log"));
}

TEST_CASE("a server that is told to stop at once does not wait for copies") {
  Server s(server("location / { mirror /slow; }" + copy("slow", "probe_wait 1h;")), kFiles);
  CHECK(get(s.url()).body == "in");
}

TEST_CASE("a body that is refused is not copied") {
  Server s(server("client_max_body_size 3; location / { mirror /one; probe_read on; }" + copy("one")), kFiles);
  RawClient c(s.port());
  c.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
  CHECK(c.read_response().status == 413);
  s.stop();
  CHECK(s.read("copies.log").empty());
}

TEST_CASE("mirror off, and what makes no sense") {
  Server s(server("mirror /one; location / { } location = /off.html { mirror off; }" + copy("one")), kFiles);
  CHECK(get(s.url("/off.html")).status == 200);
  CHECK(get(s.url("/index.html")).status == 200);
  CHECK(s.wait_for_log("^200 GET /one", "copies.log"));
  s.stop();
  const std::string lines = s.read("copies.log");
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 1);
  const auto said = [](const char* text) { return check_config(std::string("server { ") + text + " }").err; };
  CHECK_THAT(said("mirror /a; mirror off;"), ContainsSubstring("\"mirror\" directive is duplicate in "));
  CHECK_THAT(said("mirror off; mirror /a;"), ContainsSubstring("\"mirror\" directive is duplicate in "));
}
