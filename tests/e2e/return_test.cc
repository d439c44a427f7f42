// The directive return.
#include "catch.h"
#include "e2e/curl.h"
#include "e2e/server.h"

using namespace std::chrono_literals;
using namespace test;

namespace {

// A server whose only location says this.
std::string location(std::string_view inside, std::string_view outside = {}) {
  std::string text("server { listen 127.0.0.1:%%PORT_0%%; server_name site.test; ");
  return text.append(outside).append(" location / { ").append(inside).append(" } }");
}

}  // namespace

TEST_CASE("return answers with a text and the default type") {
  Server s(location("return 200 \"hello\";"));
  const Response r = get(s.url());
  CHECK(r.status == 200);
  CHECK(r.body == "hello");
  CHECK(r.header("Content-Type") == "text/plain");
  CHECK(r.header("Content-Length") == "5");
}

TEST_CASE("return evaluates variables and takes the type from the extension") {
  Server s(location("return 200 \"$uri?$args\";", "types { text/html html; }"));
  const Response r = get(s.url("/a%20b.html?x=1"));
  CHECK(r.body == "/a b.html?x=1");
  CHECK(r.header("Content-Type") == "text/html");
}

TEST_CASE("return without a text") {
  Server s(location("return 200;"));
  const Response r = get(s.url());
  CHECK(r.status == 200);
  CHECK(r.header("Content-Length") == "0");
}

TEST_CASE("return 204 has neither type nor length") {
  Server s(location("return 204;"));
  const Response r = get(s.url());
  CHECK(r.status == 204);
  CHECK(r.header("Content-Type").empty());
  CHECK(r.header("Content-Length").empty());
}

TEST_CASE("return of an error has the default page") {
  Server s(location("return 405;"));
  const Response r = get(s.url());
  CHECK(r.status == 405);
  CHECK_THAT(r.body, Catch::Matchers::ContainsSubstring("405 Not Allowed"));
}

TEST_CASE("return of an error with a text keeps the text, error_page or not") {
  Server s(location("return 404 text;", "error_page 404 /other;"));
  const Response r = get(s.url());
  CHECK(r.status == 404);
  CHECK(r.body == "text");
}

TEST_CASE("return takes a status nobody has named") {
  Server s(location("return 599 text;"));
  const Response r = get(s.url());
  CHECK(r.status == 599);
  CHECK(r.body == "text");
}

TEST_CASE("error_page leads from one return to another and keeps the status") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; error_page 405 /text; location / { return 405; }"
           " location = /text { return 200 text; } }");
  const Response r = get(s.url("/x"));
  CHECK(r.status == 405);
  CHECK(r.body == "text");
}

TEST_CASE("return redirects to a URL as it is written") {
  for (const char* code : {"301", "302", "303", "307", "308"}) {
    Server s(location(std::string("return ") + code + " https://other.test$request_uri;"));
    const Response r = get(s.url("/a?b"));
    CHECK(std::to_string(r.status) == code);
    CHECK(r.header("Location") == "https://other.test/a?b");
  }
}

TEST_CASE("return of a URL alone is a 302") {
  Server s(location("return http://other.test/;"));
  const Response r = get(s.url());
  CHECK(r.status == 302);
  CHECK(r.header("Location") == "http://other.test/");
}

TEST_CASE("return makes a path absolute") {
  Server s(location("return 301 /there;"));
  CHECK(get(s.url()).header("Location") == s.url("/there"));
}

TEST_CASE("line ends in a decoded URI do not leave the Location field") {
  Server s(location("return 301 https://other.test$uri;"));
  const Response r = get(s.url("/a%0d%0aSet-Cookie:%20x=1"));
  CHECK(r.status == 301);
  CHECK(r.header("Location") == "https://other.test/a%0D%0ASet-Cookie: x=1");
  CHECK(r.header("Set-Cookie").empty());
}

TEST_CASE("return 444 closes without a response") {
  Server s(location("return 444;"));
  RawClient c(s.port());
  c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(c.read_all().empty());
}

TEST_CASE("a server's return goes before its locations, a location's is not inherited by nested ones") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; return 200 server; location / { return 200 location; } }"
           "server { listen 127.0.0.1:%%PORT_1%%; location /a { return 200 a; location /a/b { } } }");
  CHECK(get(s.url("/")).body == "server");
  CHECK(get(s.url("/a", 1)).body == "a");
  CHECK(get(s.url("/a/b", 1)).status == 404);
}

TEST_CASE("return refuses what is no status") {
  const Run run = check_config(location("return abc;"));
  CHECK(run.exit_code == 1);
  CHECK_THAT(run.err, Catch::Matchers::ContainsSubstring("invalid return code \"abc\""));
  CHECK(check_config(location("return 1000;")).exit_code == 1);
}
