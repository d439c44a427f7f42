// slice: large responses in parts, each asked for by itself; and ranges of what only passes through.
#include "catch.h"
#include "e2e/curl.h"
#include "e2e/server.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

namespace {

// A front that asks a back for parts of four bytes; the back writes down the ranges it was asked for.
const std::string kSites = R"(
log_format ranges '$http_range';
server {
  listen 127.0.0.1:%%PORT_0%%; http2 on;
  location / { slice 4; proxy_pass http://127.0.0.1:%%PORT_1%%; proxy_set_header Range $slice_range; }
  location /break/ { rewrite ^/break/(.*)$ /$1 break; slice 4; proxy_pass http://127.0.0.1:%%PORT_1%%; proxy_set_header Range $slice_range; }
  location /sub/ { slice 4; sub_filter_once off; sub_filter 34 <3-4>; sub_filter_types *; proxy_pass http://127.0.0.1:%%PORT_1%%/; proxy_set_header Range $slice_range; }
  location /unasked/ { slice 4; proxy_pass http://127.0.0.1:%%PORT_1%%/; }
  location /forced/none/ { max_ranges 0; proxy_force_ranges on; proxy_set_header Range ""; proxy_pass http://127.0.0.1:%%PORT_1%%/; }
  location /forced/ { proxy_force_ranges on; proxy_set_header Range ""; proxy_pass http://127.0.0.1:%%PORT_1%%/; }
}
server {
  listen 127.0.0.1:%%PORT_1%%; root %%DIR%%/html; access_log %%DIR%%/ranges.log ranges;
  location = /no-length { add_header Content-Range "bytes 0-3/*"; return 206 0123; }
  location = /bad-range { add_header Content-Range "bytes 1-4/16"; return 206 1234; }
  location = /whole { return 200 "no parts"; }
  location = /changes { add_header Content-Range "bytes 0-3/16"; if ($http_range ~ =4) { return 200 later; } return 206 0123; }
  location = /versions { if ($http_range ~ =4) { add_header Content-Range "bytes 4-7/8"; add_header ETag '"2"'; return 206 4567; }
    add_header Content-Range "bytes 0-3/8"; add_header ETag '"1"'; return 206 0123; }
}
)";

const Files kFiles{{"html/t", "0123456789abcdef"}, {"html/long", std::string(200'000, 'x')}};

Response ask(const Server& s, const std::string& path, std::vector<std::string> headers = {}, bool http2 = false) {
  Request request;
  request.url = s.url(path);
  request.headers = std::move(headers);
  request.http2 = http2;
  return fetch(request);
}

// What came before the connection was cut.
std::string cut_off(const Server& s, const std::string& path) {
  RawClient c(s.port());
  c.send("GET " + path + " HTTP/1.1\r\nHost: a\r\n\r\n");
  return c.read_all();
}

}  // namespace

TEST_CASE("slice makes one response of parts, and has the parts asked for that a range touches") {
  Server s(kSites, kFiles);
  for (const bool http2 : {false, true}) {
    const Response whole = ask(s, "/t", {}, http2);
    CHECK(whole.status == 200);
    CHECK(whole.body == "0123456789abcdef");
    CHECK(whole.header("content-length") == "16");
    CHECK(whole.header("accept-ranges") == "bytes");
    CHECK(whole.count("content-range") == 0);
    const Response part = ask(s, "/t", {"Range: bytes=6-9"}, http2);
    CHECK(part.status == 206);
    CHECK(part.body == "6789");
    CHECK(part.header("content-range") == "bytes 6-9/16");
    CHECK(part.header("content-length") == "4");
  }
  CHECK(ask(s, "/t", {"Range: bytes=-3"}).body == "def");
  CHECK(ask(s, "/t", {"Range: bytes=13-"}).body == "def");
  CHECK(ask(s, "/t", {"Range: bytes=1-2,4-5"}).body == "0123456789abcdef");  // several: the whole, as in nginx
  CHECK(ask(s, "/break/t").body == "0123456789abcdef");
  s.stop();
  CHECK_THAT(s.read("ranges.log"), StartsWith("bytes=0-3\nbytes=4-7\nbytes=8-11\nbytes=12-15\nbytes=4-7\nbytes=8-11\n"));
  CHECK_THAT(s.read("ranges.log"), ContainsSubstring("bytes=8-11\nbytes=0-3\nbytes=12-15\nbytes=12-15\nbytes=0-3\n"));  // -3, 13-, several
}

TEST_CASE("slice and conditions") {
  Server s(kSites, kFiles);
  const std::string etag = ask(s, "/t").header("etag");
  CHECK(ask(s, "/t", {"If-None-Match: " + etag}).status == 304);
  CHECK(ask(s, "/t", {"If-Match: \"other\""}).status == 412);
  CHECK(ask(s, "/t", {"Range: bytes=9-10", "If-Range: " + etag}).body == "9a");
  const Response other = ask(s, "/t", {"Range: bytes=9-10", "If-Range: \"other\""});
  CHECK(other.status == 200);
  CHECK(other.body == "0123456789abcdef");
  Request head;
  head.url = s.url("/t");
  head.method = "HEAD";
  CHECK(fetch(head).header("content-length") == "16");
}

TEST_CASE("filters see the whole of a sliced response") {
  Server s(kSites, kFiles);
  CHECK(ask(s, "/sub/t").body == "012<3-4>56789abcdef");  // across two parts
}

TEST_CASE("what was not asked for in parts, or does not come in parts, is passed on") {
  Server s(kSites, kFiles);
  CHECK(ask(s, "/unasked/t", {"Range: bytes=1-2"}).status == 206);
  CHECK(ask(s, "/whole").body == "no parts");
  CHECK(ask(s, "/missing").status == 404);
}

TEST_CASE("parts that do not fit are not put together") {
  Server s(kSites, kFiles);
  CHECK(ask(s, "/no-length").status == 500);
  CHECK(s.wait_for_log("no complete length in slice response"));
  CHECK(ask(s, "/bad-range").status == 500);
  CHECK(s.wait_for_log("unexpected range in slice response: 1-5, expected: 0-4"));
  CHECK_THAT(cut_off(s, "/changes"), EndsWith("\r\n\r\n0123"));
  CHECK(s.wait_for_log("unexpected status code 200 in slice response"));
  CHECK_THAT(cut_off(s, "/versions"), EndsWith("\r\n\r\n0123"));
  CHECK(s.wait_for_log("etag mismatch in slice response"));
}

TEST_CASE("proxy_force_ranges cuts a range out of a response that is passed through") {
  Server s(kSites, kFiles);
  for (const bool http2 : {false, true}) {
    const Response part = ask(s, "/forced/t", {"Range: bytes=3-5"}, http2);
    CHECK(part.status == 206);
    CHECK(part.body == "345");
    CHECK(part.header("content-range") == "bytes 3-5/16");
    CHECK(ask(s, "/forced/long", {"Range: bytes=199990-"}, http2).body == std::string(10, 'x'));
    CHECK(ask(s, "/forced/t", {"Range: bytes=16-"}, http2).status == 416);
    CHECK(ask(s, "/forced/long", {"Range: bytes=0-0,2-2"}, http2).body.size() == 200'000);  // several: the whole
    CHECK(ask(s, "/forced/none/t", {"Range: bytes=3-5"}, http2).status == 200);
  }
}
