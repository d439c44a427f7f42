// The directive try_files.
#include "catch.h"
#include "e2e/curl.h"
#include "e2e/probe.h"
#include "e2e/server.h"

using namespace test;

namespace {

std::string server(std::string_view inside) {
  return std::string("server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%/html; ").append(inside).append(" }");
}

}  // namespace

TEST_CASE("try_files serves the first file that is there") {
  Server s(server("location / { try_files $uri.txt $uri /default.txt =404; }"),
           {{"html/a.txt", "a.txt"}, {"html/b", "b"}, {"html/default.txt", "default"}});
  CHECK(get(s.url("/a")).body == "a.txt");
  CHECK(get(s.url("/b")).body == "b");
  CHECK(get(s.url("/c")).body == "default");
  CHECK(get(s.url("/a")).header("Content-Type") == "text/plain");
}

TEST_CASE("try_files takes a file for a file and a folder for a folder") {
  Server s(server("location / { try_files $uri $uri/ =404; } location /files/ { try_files $uri =404; }"),
           {{"html/folder/index.html", "index"}, {"html/files/folder/index.html", ""}, {"html/file", "file"}});
  CHECK(get(s.url("/folder/")).body == "index");
  const Response redirect = get(s.url("/folder"));
  CHECK(redirect.status == 301);
  CHECK(redirect.header("Location") == s.url("/folder/"));
  CHECK(get(s.url("/file")).body == "file");
  CHECK(get(s.url("/files/folder")).status == 404);
}

TEST_CASE("try_files ends with a status") {
  Server s(server("location / { try_files /none =403; } location /close { try_files /none =444; }"
                  "location /page { try_files /none =404; error_page 404 =200 /found; } location /found { return 200 page; }"));
  CHECK(get(s.url("/")).status == 403);
  CHECK(get(s.url("/page")).body == "page");
  RawClient c(s.port());
  c.send("GET /close HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(c.read_all().empty());
}

TEST_CASE("try_files ends in a named location, with URI and arguments as they were") {
  Server s(server("location / { try_files $uri @other; } location @other { return 200 \"$uri?$args\"; }"));
  CHECK(get(s.url("/x?y=1")).body == "/x?y=1");
  Server missing(server("location / { try_files $uri @nowhere; }"));
  CHECK(get(missing.url("/x")).status == 500);
  CHECK(missing.wait_for_log("could not find named location \"@nowhere\""));
}

TEST_CASE("try_files ends in a URI, whose arguments are its own") {
  Server s(server("location / { try_files $uri /index.php?q=$uri&$args; } location /plain/ { try_files $uri /index.php; }"
                  "location ~ \\.php$ { return 200 \"$uri?$args\"; }"));
  CHECK(get(s.url("/a/b?c=d")).body == "/index.php?q=/a/b&c=d");
  CHECK(get(s.url("/plain/x?c=d")).body == "/index.php?");
}

TEST_CASE("try_files keeps the method where it ends in a URI") {
  Server s(server("location / { try_files $uri /handler; } location /handler { return 200 $request_method; }"));
  CHECK(fetch({.url = s.url("/x"), .method = "POST", .body = "b"}).body == "POST");
}

TEST_CASE("an internal redirect does not run the phase post_read again") {
  Server s(with_probe("server { listen 127.0.0.1:%%PORT_0%%; probe_count on; location / { try_files $uri /other; }"
                      "location /other { return 200 other; } }"));
  const Response r = get(s.url("/x"));
  CHECK(r.body == "other");
  CHECK(r.header("X-Post-Read") == "1");
}

TEST_CASE("try_files without a root looks below html, and serves nothing from there") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; location / { try_files $uri @other; } location @other { return 200 o; } }",
           {{"html/there", "there"}});
  CHECK(get(s.url("/none")).body == "o");
  CHECK(get(s.url("/there")).status == 404);
}

TEST_CASE("try_files of a server is for URIs without a location, and no location inherits it") {
  Server s(server("try_files /default =404; location /in/ { try_files /none /in/deep/x; location /in/deep/ { } }"),
           {{"html/default", "default"}, {"html/in/deep/x", "deep"}});
  CHECK(get(s.url("/any")).body == "default");
  CHECK(get(s.url("/in/a")).body == "deep");
  CHECK(get(s.url("/in/deep/none")).status == 404);
}

TEST_CASE("try_files behind an alias") {
  Server s(server("location /a/ { alias %%DIR%%/files/; try_files $uri $uri/ /a/default.txt =404; }"
                  "location /b/ { alias %%DIR%%/files/; try_files $uri default.txt =404; }"
                  "location ~ ^/c/(.*)$ { alias %%DIR%%/files/; try_files $1 =404; }"),
           {{"files/x.txt", "x"}, {"files/dir/index.html", "dir"}, {"files/default.txt", "default"}});
  CHECK(get(s.url("/a/x.txt")).body == "x");
  CHECK(get(s.url("/a/dir/")).body == "dir");
  CHECK(get(s.url("/a/none")).status == 404);  // a literal name is looked for behind the alias as it is written
  CHECK(get(s.url("/b/none")).body == "default");
  CHECK(get(s.url("/c/x.txt")).body == "x");
}

TEST_CASE("try_files behind an alias ends in a URI as written, and as nginx's users write it twice") {
  Server s(server("location /a/ { alias %%DIR%%/files/; try_files $uri /a/index.php?$args; }"
                  "location /b/ { alias %%DIR%%/files/; try_files $uri /b//b/index.php?$args; }"
                  "location ~ \\.php$ { return 200 \"$uri?$args\"; }"));
  CHECK(get(s.url("/a/x?y")).body == "/a/index.php?y");
  CHECK(get(s.url("/b/x?y")).body == "/b/index.php?y");
}

TEST_CASE("a variable cannot lead try_files out of the root") {
  Server s(server("location / { try_files /$arg_file =403; }"), {{"html/x", "x"}, {"secret", "secret"}});
  CHECK(get(s.url("/?file=x")).body == "x");
  CHECK(get(s.url("/?file=../secret")).status == 404);
  CHECK(s.wait_for_log("html/../secret\" is refused"));
}

TEST_CASE("try_files refuses a code that is none, one argument and a second directive") {
  using Catch::Matchers::ContainsSubstring;
  CHECK_THAT(check_config(server("location / { try_files $uri =abc; }")).err, ContainsSubstring("invalid code \"=abc\" in "));
  CHECK_THAT(check_config(server("location / { try_files $uri =1000; }")).err, ContainsSubstring("invalid code \"=1000\""));
  CHECK_THAT(check_config(server("location / { try_files $uri; }")).err,
             ContainsSubstring("invalid number of arguments in \"try_files\" directive"));
  CHECK_THAT(check_config(server("location / { try_files a b; try_files a b; }")).err,
             ContainsSubstring("\"try_files\" directive is duplicate"));
}
