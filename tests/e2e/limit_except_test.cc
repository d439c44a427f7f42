// limit_except: settings for all methods but some.
#include "catch.h"
#include "e2e/curl.h"
#include "e2e/probe.h"
#include "e2e/server.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string server(std::string_view inside) {
  std::string text("server { listen 127.0.0.1:%%PORT_0%%; location / { probe_read on; ");
  return text.append(inside).append(" } }");
}

int status(const Server& s, const std::string& method, const std::string& path = "/") {
  Request request;
  request.url = s.url(path);
  request.method = method;
  return fetch(request).status;
}

}  // namespace

TEST_CASE("limit_except holds for all methods but those named") {
  Server s(with_probe(server("limit_except POST { deny all; }")));
  CHECK(status(s, "POST") == 200);
  for (const char* method : {"GET", "PUT", "DELETE", "OPTIONS", "PATCH", "PURGE", "STRANGE"}) {
    INFO(method);
    CHECK(status(s, method) == 403);
  }
  CHECK(s.wait_for_log("access forbidden by rule"));
}

TEST_CASE("GET includes HEAD, HEAD does not include GET") {
  Server get(with_probe(server("limit_except GET { deny all; }")));
  RawClient c(get.port());
  c.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(c.read_response(true).status == 200);
  CHECK(status(get, "GET") == 200);
  CHECK(status(get, "POST") == 403);
  Server head(with_probe(server("limit_except HEAD put { deny all; }")));
  CHECK(status(head, "GET") == 403);
  CHECK(status(head, "PUT") == 200);
}

TEST_CASE("in limit_except all else is as in the location") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%/www; location / { add_header X-A a always; expires 1h;"
           " limit_except GET { auth_basic closed; auth_basic_user_file users; } } }",
           {{"www/index.html", "in"}, {"users", "u:{PLAIN}p\n"}});
  CHECK(get(s.url()).body == "in");
  Request request;
  request.url = s.url();
  request.method = "DELETE";
  Response r = fetch(request);
  CHECK(r.status == 401);
  CHECK(r.header("X-A") == "a");
  request.headers = {"Authorization: Basic dTpw"};
  CHECK(fetch(request).status == 405);
}

TEST_CASE("a location inside one with limit_except is not limited") {
  Server s(with_probe(server("limit_except GET { deny all; } location /open { }")));
  CHECK(status(s, "POST") == 403);
  CHECK(status(s, "POST", "/open") == 200);
}

TEST_CASE("limit_except comes before the instructions of its location") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; location / { limit_except GET { deny all; } return 200 in; } }");
  CHECK(get(s.url()).body == "in");
  CHECK(status(s, "POST") == 403);
}

TEST_CASE("limit_except refuses what makes no sense") {
  const auto said = [](const char* inside) { return check_config(with_probe(server(inside))).err; };
  CHECK_THAT(said("limit_except TRACE { }"), ContainsSubstring("invalid method \"TRACE\" in "));
  CHECK_THAT(said("limit_except GET { } limit_except POST { }"), ContainsSubstring("\"limit_except\" directive is duplicate in "));
  CHECK_THAT(said("limit_except GET { return 403; }"), ContainsSubstring("\"return\" directive is not allowed here in "));
  CHECK_THAT(check_config("server { limit_except GET { } }").err, ContainsSubstring("\"limit_except\" directive is not allowed here in "));
}
