// The directives add_header, add_trailer and expires.
#include "catch.h"

#include <chrono>
#include <filesystem>

#include "e2e/curl.h"
#include "e2e/server.h"

using namespace test;

namespace {

std::string server(std::string_view inside) {
  return std::string("server { listen 127.0.0.1:%%PORT_0%%; ").append(inside).append(" }");
}

std::string raw(const Server& s, const std::string& request) {
  RawClient c(s.port());
  c.send(request + "\r\nHost: site.test\r\nConnection: close\r\n\r\n");
  return c.read_all();
}

}  // namespace

TEST_CASE("add_header adds fields in order, with variables, but no empty ones") {
  Server s(server("add_header X-A $uri; add_header X-A two; add_header X-B ''; add_header X-C $arg_none; return 200;"));
  const Response r = get(s.url("/x"));
  CHECK(r.header("X-A") == "/x");
  CHECK(r.count("X-A") == 2);
  CHECK(r.count("X-B") == 0);
  CHECK(r.count("X-C") == 0);
}

TEST_CASE("add_header touches errors only with always") {
  Server s(server("add_header X-A a; add_header X-B b always; return 404;"));
  const Response r = get(s.url());
  CHECK(r.count("X-A") == 0);
  CHECK(r.header("X-B") == "b");
}

TEST_CASE("add_header replaces and removes ETag and Last-Modified") {
  Server s(server("root %%DIR%%; add_header ETag '\"mine\"'; add_header Last-Modified '';"), {{"a", "x"}});
  const Response r = get(s.url("/a"));
  CHECK(r.header("ETag") == "\"mine\"");
  CHECK(r.count("ETag") == 1);
  CHECK(r.count("Last-Modified") == 0);
}

TEST_CASE("a block's own add_header hides the outer ones unless they merge") {
  Server s(server("add_header X-A outer; location /own { add_header X-B inner; return 200; }"
                  "location /none { return 200; }"
                  "location /merge { add_header_inherit merge; add_header X-B inner; return 200; }"
                  "location /off { add_header_inherit off; return 200; }"));
  CHECK(get(s.url("/own")).count("X-A") == 0);
  CHECK(get(s.url("/none")).header("X-A") == "outer");
  CHECK(get(s.url("/merge")).header("X-A") == "outer");
  CHECK(get(s.url("/merge")).header("X-B") == "inner");
  CHECK(get(s.url("/off")).count("X-A") == 0);
}

TEST_CASE("add_header_inherit off of a server keeps its fields from its locations") {
  Server s(server("add_header_inherit off; add_header X-A server; location /a { return 200; }"));
  CHECK(get(s.url("/a")).count("X-A") == 0);
}

TEST_CASE("add_header refuses an unknown parameter") {
  const Run run = check_config(server("add_header a b c;"));
  CHECK(run.exit_code == 1);
  CHECK_THAT(run.err, Catch::Matchers::ContainsSubstring("invalid parameter \"c\""));
}

TEST_CASE("expires in its fixed forms") {
  Server s(server("location /epoch { expires epoch; return 200; } location /max { expires max; return 200; }"
                  "location /access { expires 2048; return 200; } location /negative { expires -2048; return 200; }"
                  "location /zero { expires 0; return 200; } location /daily { expires @15h30m33s; return 200; }"
                  "location /off { return 200; } location /error { expires 1h; return 404; }"));
  CHECK(get(s.url("/epoch")).header("Expires") == "Thu, 01 Jan 1970 00:00:01 GMT");
  CHECK(get(s.url("/epoch")).header("Cache-Control") == "no-cache");
  CHECK(get(s.url("/max")).header("Cache-Control") == "max-age=315360000");
  CHECK(get(s.url("/access")).header("Cache-Control") == "max-age=2048");
  CHECK(get(s.url("/negative")).header("Cache-Control") == "no-cache");
  CHECK(get(s.url("/zero")).header("Cache-Control") == "max-age=0");
  CHECK(get(s.url("/daily")).header("Expires").ends_with(":30:33 GMT"));
  CHECK(get(s.url("/off")).count("Expires") == 0);
  CHECK(get(s.url("/error")).count("Expires") == 0);
}

TEST_CASE("expires takes variables, even of the response, and ignores values that are no time") {
  Server s(server("location / { default_type 1h; expires $sent_http_content_type; return 200 x; }"
                  "location /text { expires $sent_http_content_type; return 200 x; }"
                  "location /arg { expires $arg_e; return 200; }"));
  CHECK(get(s.url("/")).header("Cache-Control") == "max-age=3600");
  CHECK(get(s.url("/text")).count("Cache-Control") == 0);
  CHECK(get(s.url("/arg?e=-1")).header("Cache-Control") == "no-cache");
  CHECK(get(s.url("/arg?e=off")).count("Expires") == 0);
}

TEST_CASE("expires modified counts from Last-Modified") {
  Server s(server("root %%DIR%%; expires modified 1000d;"), {{"a", "x"}});
  using namespace std::chrono;
  std::filesystem::last_write_time(s.folder() + "/a", std::filesystem::file_time_type::clock::now() - hours(24 * 100));
  CHECK(get(s.url("/a")).header("Cache-Control").starts_with("max-age=777"));  // 900 days, and a moment less
}

TEST_CASE("expires refuses what is no time") {
  CHECK(check_config(server("expires soon;")).exit_code == 1);
  CHECK(check_config(server("expires @25h;")).exit_code == 1);
  CHECK(check_config(server("expires modified @1h;")).exit_code == 1);
}

TEST_CASE("a trailer follows a chunked body") {
  Server s(server("add_trailer X-A $host; add_trailer X-Seen $sent_trailer_x_a; add_trailer X-Empty '';"
                  "location / { return 200 BODY; } location /nx { return 404; }"));
  CHECK_THAT(raw(s, "GET / HTTP/1.1"), Catch::Matchers::EndsWith("\r\n\r\n4\r\nBODY\r\n0\r\nX-A: site.test\r\nX-Seen: site.test\r\n\r\n"));
  CHECK_THAT(raw(s, "GET /nx HTTP/1.1"), !Catch::Matchers::ContainsSubstring("X-A"));
}

TEST_CASE("no trailer without chunks") {
  Server s(server("add_trailer X-A a; location / { return 200 BODY; }"
                  "location /off { chunked_transfer_encoding off; return 200 BODY; }"));
  CHECK_THAT(raw(s, "GET / HTTP/1.0"), Catch::Matchers::EndsWith("\r\n\r\nBODY"));
  CHECK_THAT(raw(s, "HEAD / HTTP/1.1"), !Catch::Matchers::ContainsSubstring("X-A"));
  CHECK_THAT(raw(s, "GET /off HTTP/1.1"), Catch::Matchers::EndsWith("\r\n\r\nBODY"));
}

TEST_CASE("add_trailer_inherit: instead of the outer block's, beside them, or none") {
  Server s(server("add_trailer X-A outer; location /own { add_trailer X-B inner; return 200 BODY; } location /none { return 200 BODY; }"
                  "location /merge { add_trailer_inherit merge; add_trailer X-B inner; return 200 BODY; }"
                  "location /off { add_trailer_inherit off; return 200 BODY; }"));
  const auto trailers = [&](const std::string& path) {
    const std::string all = raw(s, "GET " + path + " HTTP/1.1");
    const auto at = all.find("BODY");
    return at == std::string::npos ? all : all.substr(at + 4);
  };
  CHECK(trailers("/own") == "\r\n0\r\nX-B: inner\r\n\r\n");
  CHECK(trailers("/none") == "\r\n0\r\nX-A: outer\r\n\r\n");
  CHECK(trailers("/merge") == "\r\n0\r\nX-B: inner\r\nX-A: outer\r\n\r\n");
  CHECK_THAT(trailers("/off"), !Catch::Matchers::ContainsSubstring("X-"));
}
