// add_before_body, add_after_body.
#include "catch.h"

#include "e2e/codings.h"
#include "e2e/curl.h"
#include "e2e/probe.h"

using namespace test;

namespace {

std::string server(std::string_view inside) {
  std::string text("server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%; default_type text/html; ");
  return text.append(inside).append(" }");
}

}  // namespace

TEST_CASE("addition puts the answers of other URIs before and behind a body") {
  Server s(server("location /both { add_before_body /before; add_after_body /after; }"
                  "location /first { add_before_body /before; }"
                  "location /last { add_after_body /after; } location /before { internal; return 200 '<$uri>'; }"
                  "location /after { alias %%DIR%%/end; sub_filter e E; }"
                  "location /css { default_type text/css; add_after_body /after; }"
                  "location /missing { add_before_body /none; return 404; } location /error { add_after_body /closed; }"
                  "location /closed { return 444; }"),
           {{"both", "body"}, {"first", "body"}, {"last", "body"}, {"css", "body"}, {"error", "body"}, {"end", "end"}});
  const Response both = get(s.url("/both"), {"Range: bytes=0-1"});
  CHECK(both.status == 200);
  CHECK(both.body == "</before>bodyEnd");
  CHECK(both.header("ETag").starts_with("W/"));
  CHECK(both.count("Accept-Ranges") == 0);
  CHECK(get(s.url("/first")).body == "</before>body");
  CHECK(get(s.url("/last")).body == "bodyEnd");
  CHECK(get(s.url("/css")).body == "body");
  CHECK(get(s.url("/missing")).body.find("before") == std::string::npos);
  CHECK(get(s.url("/error")).body == "body");
}

TEST_CASE("addition is compressed as a whole, also over HTTP/2") {
  Server s(server("http2 on; location / { gzip on; sub_filter_once off; sub_filter x y; add_before_body /x; add_after_body /long; }"
                  "location = /x { return 200 xx; } location = /long { } "),
           {{"a", "xax"}, {"long", std::string(500'000, 'x')}});
  Request request;
  request.url = s.url("/a");
  request.headers = {"Accept-Encoding: gzip"};
  for (const bool http2 : {false, true}) {
    request.http2 = http2;
    CHECK(ungzip(fetch(request).body) == "xxyay" + std::string(500'000, 'x'));
  }
}

TEST_CASE("a client that leaves while an added part is awaited") {
  Server s(with_probe("log_format status $status; access_log %%DIR%%/access.log status;" +
                      server("location / { add_after_body /slow; } location /slow { probe_wait 30s; }")),
           {{"a", "body"}});
  RawClient c(s.port());
  c.send("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
  c.read_until("body");
  c.reset();
  CHECK(s.wait_for_log("200", "access.log"));
}
