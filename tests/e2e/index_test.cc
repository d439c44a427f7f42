// The directive index.
#include <sys/stat.h>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/server.h"

using namespace test;

namespace {

// A server with the folder html that says this.
std::string server(std::string_view inside) {
  return std::string("server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%/html; ").append(inside).append(" }");
}

}  // namespace

TEST_CASE("a folder is answered by index.html where no index is written") {
  Server s(server(""), {{"html/index.html", "root"}, {"html/a/index.html", "a"}});
  CHECK(get(s.url("/")).body == "root");
  CHECK(get(s.url("/a/")).body == "a");
  CHECK(get(s.url("/a/")).header("Content-Type") == "text/html");
}

TEST_CASE("index takes the first name that is there") {
  Server s(server("index a.html b.html $arg_name; index c.html;"),
           {{"html/1/b.html", "b"}, {"html/1/c.html", "c"}, {"html/2/c.html", "c"}, {"html/3/v.txt", "v"}});
  CHECK(get(s.url("/1/")).body == "b");
  CHECK(get(s.url("/2/")).body == "c");
  CHECK(get(s.url("/3/?name=v.txt")).body == "v");
}

TEST_CASE("index of an inner block replaces the outer one's") {
  Server s(server("index a.txt; location /in/ { index b.txt; } location /same/ { }"),
           {{"html/in/a.txt", "a"}, {"html/in/b.txt", "b"}, {"html/same/a.txt", "same"}});
  CHECK(get(s.url("/in/")).body == "b");
  CHECK(get(s.url("/same/")).body == "same");
}

TEST_CASE("index leads to another location, with the arguments") {
  Server s(server("index i.php; location ~ \\.php$ { return 200 \"$uri?$args\"; }"), {{"html/a/i.php", ""}});
  CHECK(get(s.url("/a/?x=1")).body == "/a/i.php?x=1");
}

TEST_CASE("an absolute index is taken untested") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; location / { index /other; } location /other { return 200 $uri; } }");
  CHECK(get(s.url("/")).body == "/other");
}

TEST_CASE("index below an alias") {
  Server s(server("location /a/ { alias %%DIR%%/files/; } location /b { alias %%DIR%%/files; }"
                  "location ~ ^/c/(.*) { alias %%DIR%%/files/$1; }"),
           {{"files/index.html", "files"}, {"files/x/index.html", "x"}});
  CHECK(get(s.url("/a/")).body == "files");
  CHECK(get(s.url("/a/x/")).body == "x");
  CHECK(get(s.url("/b/x/")).body == "x");
  CHECK(get(s.url("/c/x/")).body == "x");  // by way of /c/x/index.html, which the same location answers
}

TEST_CASE("index answers GET, HEAD and POST, and leaves the refusal of POST to the file") {
  Server s(server(""), {{"html/index.html", "root"}});
  CHECK(fetch({.url = s.url("/"), .method = "POST", .body = ""}).status == 405);
  RawClient c(s.port());
  c.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(c.read_response(true).header("Content-Length") == "4");
}

TEST_CASE("a folder without an index is forbidden, one that is not there is not found") {
  Server s(server(""), {{"html/a/x", ""}, {"html/file", ""}});
  CHECK(get(s.url("/a/")).status == 403);
  CHECK(s.wait_for_log("directory index of \"[^\"]*/html/a/\" is forbidden, client"));
  CHECK(get(s.url("/none/")).status == 404);
  CHECK(s.wait_for_log("\"[^\"]*/html/none/index.html\" is not found \\(2: No such file or directory\\), client"));
  CHECK(get(s.url("/file/")).status == 404);
  CHECK(s.wait_for_log("\"[^\"]*/html/file/index.html\" is not found \\(20: Not a directory\\), client"));
}

TEST_CASE("log_not_found off keeps a missing folder out of the log") {
  Server s(server("log_not_found off;"));
  CHECK(get(s.url("/none/")).status == 404);
  s.stop();
  CHECK(s.error_log().find("is not found") == std::string::npos);
}

TEST_CASE("an index that names itself ends") {
  Server s(server("location /loop/ { index /loop/; }"));
  CHECK(get(s.url("/loop/")).status == 500);
  CHECK(s.wait_for_log("rewrite or internal redirection cycle while internally redirecting to \"/loop/\""));
}

TEST_CASE("index is refused what a variable brings from outside the root") {
  Server s(server("index $arg_name;"), {{"html/a/x", ""}, {"secret", "secret"}});
  CHECK(get(s.url("/a/?name=../../secret")).status == 404);
  CHECK(get(s.url("/a/?name=")).status == 403);  // no name at all
}

TEST_CASE("a special file for an index is not found and blocks nobody") {
  Server s(server("index fifo;"), {{"html/a/x", ""}});
  REQUIRE(::mkfifo((s.folder() + "/html/a/fifo").c_str(), 0644) == 0);
  CHECK(get(s.url("/a/")).status == 404);
}

TEST_CASE("index refuses an empty name and warns about an absolute one that is not the last") {
  const Run empty = check_config(server("index \"\";"));
  CHECK(empty.exit_code == 1);
  CHECK_THAT(empty.err, Catch::Matchers::ContainsSubstring("index \"\" in \"index\" directive is invalid in "));
  const Run absolute = check_config(server("index /a b;"));
  CHECK(absolute.exit_code == 0);
  CHECK_THAT(absolute.err, Catch::Matchers::ContainsSubstring("only the last index in \"index\" directive should be absolute"));
}
