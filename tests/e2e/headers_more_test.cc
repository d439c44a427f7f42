// more_set_headers and its like.
#include "catch.h"

#include "e2e/curl.h"
#include "e2e/server.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string server(std::string_view inside) {
  std::string text("server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%; ");
  return text.append(inside).append(" }");
}

}  // namespace

TEST_CASE("more_set_headers and more_clear_headers, whatever the status, outer ones first") {
  Server s(server("http2 on; more_set_headers 'X-A: outer' 'X-B: $uri'; location / { return 404; }"
                  "location /own { more_set_headers 'X-A: inner'; more_clear_headers X-B; return 200; }"
                  "location /some { more_set_headers -s '404 403' 'X-S: s'; more_set_headers -t 'text/css text/x' 'X-T: t'; "
                  "default_type text/css; return 200 a; }"
                  "location /more { add_header X-C c; more_set_headers -a 'X-A: again';"
                  "more_clear_headers 'X-B*' Content-Type; return 200 a; }"
                  "location /file { more_set_headers 'ETag:' 'Last-Modified:' 'Server: mine'; alias %%DIR%%/a; }"
                  "location /nobody { more_clear_headers Server Date; return 200 a; }"),
           {{"a", "text"}});
  const Response none = get(s.url("/none"));
  CHECK(none.status == 404);
  CHECK(none.header("X-A") == "outer");
  CHECK(none.header("X-B") == "/none");
  CHECK(get(s.url("/own")).header("X-A") == "inner");
  CHECK(get(s.url("/own")).count("X-A") == 1);
  CHECK(get(s.url("/own")).count("X-B") == 0);
  CHECK(get(s.url("/some")).count("X-S") == 0);
  CHECK(get(s.url("/some")).header("X-T") == "t");
  const Response more = get(s.url("/more"));
  CHECK(more.count("X-A") == 2);
  CHECK(more.count("X-B") == 0);
  CHECK(more.count("Content-Type") == 0);
  CHECK(more.header("X-C") == "c");
  const Response file = get(s.url("/file"));
  CHECK(file.count("ETag") + file.count("Last-Modified") == 0);
  CHECK(file.header("Server") == "mine");
  Request request;
  request.url = s.url("/nobody");
  for (const bool http2 : {false, true}) {
    request.http2 = http2;
    CHECK(fetch(request).count("Server") + fetch(request).count("Date") == 0);
  }
}

TEST_CASE("more_set_input_headers and more_clear_input_headers change what everybody sees of a request") {
  Server s(server("location / { more_set_input_headers 'X-A: set'; more_set_input_headers -r 'X-B: there';"
                  "more_clear_input_headers 'X-C*'; echo $http_x_a,$http_x_b,$http_x_c,$http_x_cd; }"
                  "location /range { more_set_input_headers 'Range: bytes=0-0'; alias %%DIR%%/a; }"),
           {{"a", "text"}});
  CHECK(get(s.url("/"), {"X-C: c", "X-Cd: cd"}).body == "set,,,\n");
  CHECK(get(s.url("/"), {"X-A: a", "X-B: b", "X-Cd: cd"}).body == "set,there,,\n");
  CHECK(get(s.url("/range")).body == "t");
  CHECK(get(s.url("/range")).status == 206);
}

TEST_CASE("headers_more refuses what frames a message, and options that there are not") {
  const auto refusal = [](const char* inside) { return check_config(server(inside)).err; };
  CHECK_THAT(refusal("more_set_headers 'Content-Length: 1';"),
             ContainsSubstring("the field \"Content-Length\" belongs to the protocol in "));
  CHECK_THAT(refusal("more_clear_input_headers Transfer-Encoding;"), ContainsSubstring("belongs to the protocol in "));
  CHECK_THAT(refusal("more_set_headers -r 'A: b';"), ContainsSubstring("invalid option name: \"-r\" in "));
  CHECK_THAT(refusal("more_set_headers -s 40x 'A: b';"), ContainsSubstring("invalid status \"40x\" in "));
  CHECK_THAT(refusal("more_set_headers -t text/css;"), ContainsSubstring("names no field in "));
}
