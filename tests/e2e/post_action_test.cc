// post_action: a location hears of each request that is over.
#include "catch.h"
#include "e2e/curl.h"
#include "e2e/probe.h"
#include "e2e/server.h"

using namespace std::chrono_literals;
using namespace test;

namespace {

// Who is told writes what it hears into told.log.
std::string server(std::string_view inside) {
  std::string text("log_format told '$was $body_bytes_sent $request_completion $request_method $request_uri $uri?$args [$request_body]';"
                   " server { listen 127.0.0.1:%%PORT_0%%; http2 on; root %%DIR%%/www; access_log off; "
                   " location = /told { internal; set $was $status; log_subrequest on; access_log %%DIR%%/told.log told; probe_read on; }"
                   " location @told { set $was $status; log_subrequest on; access_log %%DIR%%/told.log told; return 204; } ");
  return with_probe(text.append(inside).append(" }"));
}

const Files kFiles{{"www/a.txt", "twelve bytes"}};

}  // namespace

TEST_CASE("post_action tells a location how a request went, also one that failed") {
  Server s(server("location / { post_action /told; }"), kFiles);
  CHECK(get(s.url("/a.txt?x=y")).body == "twelve bytes");
  CHECK(s.wait_for_log("^200 12 OK GET /a\\.txt\\?x=y /told\\?- \\[-\\]$", "told.log"));
  const Response missing = get(s.url("/b.txt"));
  CHECK(missing.status == 404);
  CHECK(s.wait_for_log("^404 " + std::to_string(missing.body.size()) + " OK GET /b\\.txt /told", "told.log"));
}

TEST_CASE("post_action tells a named location, and nobody in a location of its own") {
  Server s(server("location /named { post_action @told; return 200; } location /none { post_action /none2; return 200; }"
                  " location /none2 { post_action /none2; log_subrequest on; access_log %%DIR%%/told.log told; return 404; }"), kFiles);
  CHECK(get(s.url("/named")).status == 200);
  CHECK(s.wait_for_log("GET /named", "told.log"));
  CHECK(get(s.url("/none")).status == 200);
  CHECK(s.wait_for_log("GET /none /none2", "told.log"));
  CHECK(get(s.url("/named")).status == 200);
  CHECK(s.wait_for_log("GET /named.*\n.*GET /none.*\n.*GET /named", "told.log"));  // and no second /none2
}

TEST_CASE("post_action has the method, and the body that was kept") {
  Server s(server("location / { post_action /told; probe_read on; }"), kFiles);
  for (const bool http2 : {false, true}) {
    Request request;
    request.url = s.url("/x");
    request.method = "POST";
    request.body = http2 ? "second" : "first";
    request.http2 = http2;
    CHECK(fetch(request).body == *request.body);
    CHECK(s.wait_for_log("OK POST /x /told\\?- \\[" + *request.body + "\\]$", "told.log"));
  }
}

TEST_CASE("post_action holds where an if says so, and the next request of the connection comes behind it") {
  Server s(server("location / { if ($arg_count) { post_action /told; } }"), kFiles);
  RawClient c(s.port());
  c.send("GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\nGET /a.txt?count=1 HTTP/1.1\r\nHost: a\r\n\r\nGET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
  for (int i = 0; i < 3; ++i) CHECK(c.read_response().status == 200);
  CHECK(s.read("told.log").find("/a.txt?count=1 /told") != std::string::npos);
  CHECK(s.read("told.log").find("/a.txt /told") == std::string::npos);
}
