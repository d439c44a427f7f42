// internal, named locations, and the redirects inside the server that lead to them.
#include "catch.h"
#include "e2e/curl.h"
#include "e2e/server.h"

using namespace test;

namespace {

std::string server(std::string_view inside) {
  std::string text("server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%/www; ");
  return text.append(inside).append(" }");
}

const Files kFiles{{"www/in/index.html", "inside"}, {"www/page", "page"}};

}  // namespace

TEST_CASE("an internal location is there for redirects inside the server alone") {
  Server s(server("location /in/ { internal; } location = /error { error_page 404 = /in/index.html; return 404; }"
                  " location = /try { try_files /missing /in/index.html; } location = /rewrite { rewrite ^ /in/index.html last; }"
                  " location = /dir/ { index /in/index.html; } location = /redirect { return 302 /in/index.html; }"),
           kFiles);
  CHECK(get(s.url("/in/index.html")).status == 404);
  CHECK(get(s.url("/in/")).status == 404);
  for (const char* path : {"/error", "/try", "/rewrite", "/dir/"}) {
    INFO(path);
    const Response r = get(s.url(path));
    CHECK(r.status == 200);
    CHECK(r.body == "inside");
  }
  const Response outside = get(s.url("/redirect"));
  CHECK(outside.status == 302);
  CHECK(get(outside.header("Location")).status == 404);
}

TEST_CASE("the refusal of an internal location has the error page of that location") {
  Server s(server("error_page 404 /page; location /in/ { internal; error_page 404 =200 /in/index.html; }"), kFiles);
  const Response r = get(s.url("/in/x"));
  CHECK(r.status == 200);
  CHECK(r.body == "inside");
}

TEST_CASE("a named location sees the request as it was, and a missing one is an error") {
  Server s(server("location / { try_files /missing @named; } location @named { return 200 \"$uri?$args $request_method\"; }"
                  " location = /gone { error_page 404 = @nowhere; return 404; }"),
           kFiles);
  CHECK(get(s.url("/a?b=c")).body == "/a?b=c GET");
  CHECK(get(s.url("/gone")).status == 500);
  CHECK(s.wait_for_log("\\[error\\] .*could not find named location \"@nowhere\""));
}

TEST_CASE("the page of error_page may have variables and arguments") {
  Server s(server("location / { error_page 404 =200 /show$uri?from=$arg_x; return 404; } location /show { return 200 \"$uri?$args\"; }"
                  " location = /literal { error_page 404 =200 /show?a=b&c; return 404; }"),
           kFiles);
  CHECK(get(s.url("/a?x=1")).body == "/show/a?from=1");
  CHECK(get(s.url("/literal")).body == "/show?a=b&c");
}

TEST_CASE("redirects of return obey absolute_redirect, port_in_redirect and server_name_in_redirect") {
  Server s(server("server_name site.test; location /plain { return 301 /x; } location /relative { absolute_redirect off; return 301 /x?y; }"
                  " location /port { port_in_redirect off; return 301 /x; } location /name { server_name_in_redirect on; return 301 /x; }"
                  " location /url { absolute_redirect off; return 301 http://other.test/; }"),
           kFiles);
  const std::string port = ":" + std::to_string(s.port());
  CHECK(get(s.url("/plain")).header("Location") == "http://127.0.0.1" + port + "/x");
  CHECK(get(s.url("/relative")).header("Location") == "/x?y");
  CHECK(get(s.url("/port")).header("Location") == "http://127.0.0.1/x");
  CHECK(get(s.url("/name")).header("Location") == "http://site.test" + port + "/x");
  CHECK(get(s.url("/url")).header("Location") == "http://other.test/");
}

TEST_CASE("internal holds for what is nested in it, whatever that says itself") {
  Server s(server("location /in/ { internal; location ~ \\.txt$ { default_type text/html; } location /in/deep/ { default_type text/css; } } "
                  "location /ask/ { rewrite ^/ask/(.*) /in/$1 last; }"),
           {{"www/in/a.txt", "text"}, {"www/in/deep/a", "deep"}});
  CHECK(get(s.url("/in/a.txt")).status == 404);
  CHECK(get(s.url("/in/deep/a")).status == 404);
  CHECK(get(s.url("/ask/a.txt")).body == "text");
  CHECK(get(s.url("/ask/deep/a")).body == "deep");
}
