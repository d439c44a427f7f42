// error_page: which page answers, with which status.
#include "catch.h"
#include "e2e/curl.h"
#include "e2e/h2_client.h"
#include "e2e/probe.h"

using namespace test;

namespace {

Response ask(const std::string& inside, const std::string& path = "/", const std::string& method = "GET") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; " + inside + " }", {{"html/404.html", "gone"}, {"html/gone", "here"}});
  Request request;
  request.url = s.url(path);
  request.method = method;
  if (method == "POST") request.body = "";
  return fetch(request);
}

}  // namespace

TEST_CASE("a page of ours keeps the status, unless it is replaced") {
  const std::string file = "root %%DIR%%/html; location /gone { return 404; } ";
  for (const auto& [directive, status] : {std::pair("error_page 404 /404.html;", 404), std::pair("error_page 404 =200 /404.html;", 200),
                                          std::pair("error_page 403 404 =410 /404.html;", 410), std::pair("error_page 404 = /404.html;", 200)}) {
    const Response r = ask(file + directive, "/gone");
    CHECK(r.status == status);
    CHECK(r.body == "gone");
  }
}

TEST_CASE("a bare = takes the status of what answers") {
  CHECK(ask("location / { error_page 404 = /other; return 404; } location /other { return 201 made; }").status == 201);
  CHECK(ask("location / { error_page 404 /other; return 404; } location /other { return 201 made; }").status == 404);
  CHECK(ask("location / { error_page 404 = @other; return 404; } location @other { return 202 taken; }").status == 202);
}

TEST_CASE("another site is a redirect") {
  const Response found = ask("error_page 404 http://other.test/x; return 404;");
  CHECK(found.status == 302);
  CHECK(found.header("Location") == "http://other.test/x");
  const Response moved = ask("error_page 404 =301 https://$host/; return 404;");
  CHECK(moved.status == 301);
  CHECK(moved.header("Location") == "https://127.0.0.1/");
  CHECK(ask("error_page 404 =200 http://other.test/; return 404;").status == 302);
}

TEST_CASE("the page is asked for by GET, a named location sees the request as it was") {
  const std::string file = "root %%DIR%%/html; location /gone { return 404; } ";
  CHECK(ask(file + "error_page 404 /404.html;", "/gone", "POST").body == "gone");
  CHECK(ask(file + "error_page 404 = @file; location @file { }", "/gone", "POST").status == 405);
}

TEST_CASE("a location's own error_page hides all of the outer ones") {
  const std::string outer = "error_page 404 =200 /outer; location = /outer { return 200 outer; } location = /inner { return 200 inner; } ";
  CHECK(ask(outer + "location / { return 404; }").body == "outer");
  const Response r = ask(outer + "location / { error_page 403 =200 /inner; return 404; }");
  CHECK(r.status == 404);
  CHECK(r.body == default_page("404 Not Found"));
}

TEST_CASE("an error page that fails is that failure, with recursive_error_pages it has a page of its own") {
  const std::string pages = "error_page 404 /first; error_page 403 =200 /second; location = /second { return 200 second; }"
                            " location = /first { return 403; } location / { return 404; }";
  const Response plain = ask(pages);
  CHECK(plain.status == 403);
  CHECK(ask("recursive_error_pages on; " + pages).body == "second");
}

TEST_CASE("error pages that lead in a circle end with a 500") {
  const Response r = ask("recursive_error_pages on; error_page 404 /x; location / { return 404; }");
  CHECK(r.status == 500);
}

TEST_CASE("a body that is too long has its page, too") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; client_max_body_size 4; error_page 413 /413; location = /413 { return 200 'too long'; } "
           "location / { return 204; } }");
  RawClient c(s.port());
  c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
  const std::string all = c.read_all();
  CHECK(all.starts_with("HTTP/1.1 413 "));
  CHECK(all.ends_with("\r\n\r\ntoo long"));
}

TEST_CASE("a module that throws is a 500 with its page, a throwing filter one without, half a body is cut") {
  Server s(with_probe("access_log %%DIR%%/log; server { listen 127.0.0.1:%%PORT_0%%; error_page 500 /500; location = /500 { return 200 sorry; }"
                      " location /step { probe_fail on; } location /body { probe_fail_body on; } }"
                      " server { listen 127.0.0.1:%%PORT_1%%; probe_fail_filter on; location / { return 204; } }"));
  const Response step = get(s.url("/step"));
  CHECK(step.status == 500);
  CHECK(step.body == "sorry");
  const Response filter = get(s.url("/", 1));
  CHECK(filter.status == 500);
  CHECK_THAT(filter.body, Catch::Matchers::ContainsSubstring("500 Internal Server Error"));
  RawClient c(s.port());
  c.send("GET /body HTTP/1.0\r\n\r\n");
  CHECK(c.expect_close(kPatience));
  CHECK(s.wait_for_log("probe_fail_body.*request: \"GET /body HTTP/1.0\""));
  CHECK(s.wait_for_log("GET /body HTTP/1.0\" 200", "log"));
}

TEST_CASE("a condition that fails and a range that there is not have their pages, too") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%/html; error_page 412 /failed; error_page 416 /range;\n"
           "add_header X-A a; location /same { error_page 416 = /short; } location /bare { add_header X-B b always; error_page 416 /none; } }",
           {{"html/a", "content"}, {"html/same", "content"}, {"html/bare", "content"}, {"html/short", "s"}, {"html/failed", "failed page"},
            {"html/range", "range page"}});
  const Response failed = get(s.url("/a"), {"If-Match: \"x\""});
  CHECK(failed.status == 412);
  CHECK(failed.body == "failed page");
  const Response range = get(s.url("/a"), {"Range: bytes=100-"});
  CHECK(range.status == 416);
  CHECK(range.body == "range page");
  const Response again = get(s.url("/same"), {"Range: bytes=100-"});  // a page that is refused itself
  CHECK(again.status == 416);
  CHECK(again.header("content-range") == "bytes */1");
  CHECK_THAT(again.body, Catch::Matchers::ContainsSubstring("416 Requested Range Not Satisfiable"));
  const Response bare = get(s.url("/bare"), {"Range: bytes=100-"});  // a page that there is not
  CHECK(bare.status == 404);
}

TEST_CASE("what error_page does not take is refused in nginx's words") {
  const auto refused = [](const std::string& line) { return check_config("server { " + line + " }").err; };
  using Catch::Matchers::ContainsSubstring;
  CHECK_THAT(refused("error_page 200 /x;"), ContainsSubstring("value \"200\" must be between 300 and 599"));
  CHECK_THAT(refused("error_page 499 /x;"), ContainsSubstring("value \"499\" must be between 300 and 599"));
  CHECK_THAT(refused("error_page abc /x;"), ContainsSubstring("invalid value \"abc\""));
  CHECK_THAT(refused("error_page 404 =abc /x;"), ContainsSubstring("invalid value \"=abc\""));
  CHECK_THAT(refused("error_page =200 /x;"), ContainsSubstring("invalid value \"=200\""));
  CHECK_THAT(refused("error_page /x;"), ContainsSubstring("invalid number of arguments in \"error_page\" directive"));
}

TEST_CASE("the location that is asked for a page first says whether others are asked behind it") {
  const std::string pages = "error_page 404 /first; return 404; } location = /second { return 200 second; } location = /first { error_page 403 =200 /second; ";
  CHECK(ask("location / { " + pages + "recursive_error_pages on; return 403; }").status == 403);
  CHECK(ask("location / { recursive_error_pages on; " + pages + "return 403; }").body == "second");
  // One that has no pages at all is not asked.
  CHECK(ask("location = / { try_files /none /lost; } location = /lost { recursive_error_pages off; error_page 403 =200 /second; return 403; } "
            "location = /second { return 200 second; }").body == "second");
  // Asked in vain counts, too: of a range that there is not nobody asks any more.
  Server s("server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%/html; location / { error_page 404 = /file; return 404; } "
           "location = /file { error_page 416 =200 /page; } location = /page { return 200 page; } }", {{"html/file", "x"}});
  CHECK(get(s.url("/"), {"Range: bytes=9-"}).status == 416);
}

TEST_CASE("a bare = undoes the status of an earlier page") {
  const std::string first = "recursive_error_pages on; location / { error_page 404 =410 /first; return 404; } location = /second { return 201 made; } ";
  CHECK(ask(first + "location = /first { error_page 403 = /second; return 403; }").status == 201);
  CHECK(ask(first + "location = /first { error_page 403 /second; return 403; }").status == 403);
  CHECK(ask(first + "location = /first { error_page 403 =202 /second; return 403; }").status == 202);
}

TEST_CASE("what is thrown outside every handler ends its request, with what that has at work, and no other") {
  Server s(with_probe("server { listen 127.0.0.1:%%PORT_0%%; http2 on; location / { return 200 ok; } location /trailers { probe_fail_trailers on; } }"));
  RawClient c(s.port());
  c.send("GET /trailers HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(c.expect_close(kPatience));
  CHECK(s.wait_for_log("a request ended by an exception: probe_fail_trailers"));
  H2Client h(s.port());
  h.request(1, "/trailers");
  CHECK(h.read_response(1).reset == NGHTTP2_INTERNAL_ERROR);
  h.request(3, "/");
  CHECK(h.read_response(3).body == "ok");
}

TEST_CASE("server_tokens: with the version, without it, and in each location its own") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; server_tokens off; location /on { server_tokens on; return 404; } location / { return 404; } }");
  const Response off = get(s.url("/")), on = get(s.url("/on"));
  CHECK(off.header("Server") == "seawall");
  CHECK(off.body == default_page("404 Not Found", "seawall"));
  CHECK(on.header("Server") == kSignature);
  CHECK(on.body == default_page("404 Not Found"));
}
