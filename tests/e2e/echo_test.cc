// echo and its like.
#include "catch.h"

#include "e2e/curl.h"
#include "e2e/probe.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string server(std::string_view inside) {
  std::string text("server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%; default_type text/plain; ");
  return text.append(inside).append(" }");
}

}  // namespace

TEST_CASE("the target of echo_location and of echo_exec has its arguments with it, or behind it") {
  Server s(server("location /with { echo_location /to?a=1; echo_location /to a=2; } location /exec { echo_exec /to?a=3; } location /to { echo $uri $arg_a; }"));
  CHECK(get(s.url("/with")).body == "/to 1\n/to 2\n");
  CHECK(get(s.url("/exec")).body == "/to 3\n");
}

TEST_CASE("echo_sleep takes its seconds from variables") {
  Server s(server("location / { echo_sleep $arg_for; echo slept; }"));
  CHECK(get(s.url("/?for=0.001")).body == "slept\n");
  RawClient c(s.port());
  c.send("GET /?for=soon HTTP/1.0\r\n\r\n");
  c.read_all();
  CHECK(s.wait_for_log("invalid sleep duration \"soon\""));
}

TEST_CASE("echo says words, in the order written, in its own location") {
  Server s(server("location /a { echo one two; echo; echo -n $uri; echo -- -n; location /a/file { } }"
                  "location /twice { echo_duplicate 1_000 ab; echo .; } location /status { echo_status 404; echo none; }"
                  "location /if { if ($arg_x) { echo yes; } echo no; }"),
           {{"a/file", "a file"}});
  const Response r = get(s.url("/a"));
  CHECK(r.body == "one two\n\n/a-n\n");
  CHECK(r.header("Content-Type") == "text/plain");
  CHECK(r.header("Content-Length") == "14");
  CHECK(get(s.url("/a/file")).body == "a file");
  CHECK(get(s.url("/twice")).body.size() == 2002);
  CHECK(get(s.url("/status")).status == 404);
  CHECK(get(s.url("/status")).body == "none\n");
  CHECK(get(s.url("/if?x=1")).body == "yes\n");
  CHECK(get(s.url("/if")).body == "no\n");
}

TEST_CASE("echo asks other URIs, goes to them, and says the request's body") {
  Server s(server("location /both { echo before; echo_location /part a=$arg_a; echo_location /part; echo after; }"
                  "location /part { echo '<$args>'; } location /go { echo lost; echo_exec /part x=1; }"
                  "location /named { echo_exec @here; }"
                  "location @here { echo here; }"
                  "location /body { echo -n [; echo_read_request_body; echo_request_body; echo ]; }"
                  "location /framed { echo_before_body first; echo_after_body -n last; alias %%DIR%%/a; }"),
           {{"a", "file\n"}});
  CHECK(get(s.url("/both?a=2")).body == "before\n<a=2>\n<>\nafter\n");
  CHECK(get(s.url("/go")).body == "<x=1>\n");
  CHECK(get(s.url("/named")).body == "here\n");
  CHECK(get(s.url("/framed")).body == "first\nfile\nlast");
  Request post;
  post.url = s.url("/body");
  post.method = "POST";
  post.body = "said";
  CHECK(fetch(post).body == "[said]\n");
}

TEST_CASE("echo sends what it has said before it sleeps") {
  Server s(server("location / { echo first; echo_flush; echo_sleep 0.01; echo -n second; echo_sleep 30; }"));
  RawClient c(s.port());
  c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  c.read_until("first\n");
  c.read_until("second");
}

TEST_CASE("echo refuses what makes no sense") {
  const auto refusal = [](const char* inside) { return check_config(server(inside)).err; };
  CHECK_THAT(refusal("location / { echo_duplicate x y; }"), ContainsSubstring("invalid size specified: \"x\" in "));
  CHECK_THAT(refusal("location / { echo_sleep soon; }"), ContainsSubstring("invalid sleep duration \"soon\" in "));
  CHECK_THAT(refusal("location / { echo_status 99; }"), ContainsSubstring("invalid status \"99\" in "));
}
