// The directives autoindex, autoindex_format, autoindex_exact_size and autoindex_localtime.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/server.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string server(std::string_view inside) {
  return std::string("server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%/html; location / { autoindex on; ")
      .append(inside)
      .append(" } }");
}

constexpr std::time_t kTime = 536'407'200;  // Wed, 31 Dec 1986 10:00:00 GMT

void set_time(const std::string& path) {
  const timespec times[2] = {{kTime, 0}, {kTime, 0}};
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
}

// html with a folder and two files of that time.
void fill(const Server& s) {
  const std::string html = s.folder() + "/html";
  s.file("html/b.txt", std::string(12'345, 'x'));
  s.file("html/a & \"b\" <c>.txt", "12345");
  s.file("html/zz/x", "");
  for (const char* name : {"/b.txt", "/a & \"b\" <c>.txt", "/zz"}) set_time(html + name);
}

std::string padded(const std::string& name, std::size_t length) { return name + std::string(50 - length, ' '); }

}  // namespace

TEST_CASE("autoindex lists a folder as nginx does") {
  Server s(server(""));
  fill(s);
  const Response r = get(s.url("/"));
  CHECK(r.status == 200);
  CHECK(r.header("Content-Type") == "text/html");
  CHECK(r.body == "<html>\r\n<head><title>Index of /</title></head>\r\n<body>\r\n"
                  "<h1>Index of /</h1><hr><pre><a href=\"../\">../</a>\r\n"
                  "<a href=\"zz/\">" + padded("zz/</a>", 3) + " 31-Dec-1986 10:00                   -\r\n"
                  "<a href=\"a%20%26%20%22b%22%20%3Cc%3E.txt\">" + padded("a &amp; &quot;b&quot; &lt;c&gt;.txt</a>", 15) +
                  " 31-Dec-1986 10:00                   5\r\n"
                  "<a href=\"b.txt\">" + padded("b.txt</a>", 5) + " 31-Dec-1986 10:00               12345\r\n"
                  "</pre><hr></body>\r\n</html>\r\n");
}

TEST_CASE("autoindex rounds sizes") {
  Server s(server("autoindex_exact_size off;"));
  fill(s);
  const auto grow = [&](const char* name, off_t size) {
    s.file(std::string("html/") + name, "");
    REQUIRE(::truncate((s.folder() + "/html/" + name).c_str(), size) == 0);
  };
  grow("m", 3 << 19);
  grow("g", off_t{5} << 30);
  grow("k", 10'000);
  grow("n", 9'999);
  const std::string page = get(s.url("/")).body;
  CHECK_THAT(page, ContainsSubstring("zz/</a>                                                31-Dec-1986 10:00       -\r\n"));
  CHECK_THAT(page, ContainsSubstring("31-Dec-1986 10:00     12K\r\n"));
  CHECK_THAT(page, ContainsSubstring("      5G\r\n"));
  CHECK_THAT(page, ContainsSubstring("      2M\r\n"));
  CHECK_THAT(page, ContainsSubstring("     10K\r\n"));
  CHECK_THAT(page, ContainsSubstring("   9999\r\n"));
}

TEST_CASE("autoindex cuts long names between characters") {
  std::string zh;
  for (int i = 0; i < 60; ++i) zh += "\xd1\x84";
  const std::string bytes(60, '\xff');
  Server s(server(""), {{"html/" + std::string(50, 'a'), ""}, {"html/" + std::string(51, 'b'), ""}, {"html/" + zh, ""},
                        {"html/" + bytes, ""}});
  const std::string page = get(s.url("/")).body;
  CHECK_THAT(page, ContainsSubstring(">" + std::string(50, 'a') + "</a> "));
  CHECK_THAT(page, ContainsSubstring(">" + std::string(47, 'b') + "..&gt;</a> "));
  CHECK_THAT(page, ContainsSubstring(">" + zh.substr(0, 94) + "..&gt;</a> "));
  CHECK_THAT(page, ContainsSubstring(">" + bytes.substr(0, 47) + "..&gt;</a> "));
}

TEST_CASE("autoindex shows links as what they lead to, and hides hidden names") {
  Server s(server("autoindex_format json;"), {{"html/file", "12345"}, {"html/.hidden", ""}, {"dir/x", ""}});
  const std::string html = s.folder() + "/html";
  REQUIRE(::symlink((s.folder() + "/dir").c_str(), (html + "/to-dir").c_str()) == 0);
  REQUIRE(::symlink("file", (html + "/to-file").c_str()) == 0);
  REQUIRE(::symlink("nowhere", (html + "/to-nowhere").c_str()) == 0);
  REQUIRE(::mkfifo((html + "/fifo").c_str(), 0644) == 0);
  const std::string list = get(s.url("/")).body;
  CHECK_THAT(list, ContainsSubstring("\"to-dir\", \"type\":\"directory\""));
  CHECK_THAT(list, ContainsSubstring("\"to-file\", \"type\":\"file\""));
  CHECK_THAT(list, ContainsSubstring("\"to-nowhere\", \"type\":\"other\""));
  CHECK_THAT(list, ContainsSubstring("\"fifo\", \"type\":\"other\""));
  CHECK(list.find("hidden") == std::string::npos);
}

TEST_CASE("autoindex as JSON") {
  Server s(server("autoindex_format json;"));
  fill(s);
  s.file("html/empty/x", "");
  ::unlink((s.folder() + "/html/empty/x").c_str());
  set_time(s.folder() + "/html/empty");
  s.file("html/line\nend\x01", "");
  const Response r = get(s.url("/"));
  CHECK(r.header("Content-Type") == "application/json");
  const std::string when = "\"mtime\":\"Wed, 31 Dec 1986 10:00:00 GMT\"";
  CHECK_THAT(r.body, ContainsSubstring("[\r\n{ \"name\":\"empty\", \"type\":\"directory\", " + when + " },\r\n"
                                       "{ \"name\":\"zz\", \"type\":\"directory\", " + when + " },\r\n"
                                       "{ \"name\":\"a & \\\"b\\\" <c>.txt\", \"type\":\"file\", " + when +
                                       ", \"size\":5 },\r\n"));
  CHECK_THAT(r.body, ContainsSubstring("\"line\\nend\\u0001\""));
  CHECK(get(s.url("/empty/")).body == "[\r\n]");
}

TEST_CASE("autoindex as JSONP calls only what is a name") {
  Server s(server("autoindex_format jsonp;"), {{"html/e/.x", ""}});
  const Response called = get(s.url("/e/?a=b&callback=my.fn_1"));
  CHECK(called.header("Content-Type") == "application/javascript");
  CHECK(called.body == "/* callback */\r\nmy.fn_1([\r\n]);");
  CHECK(get(s.url("/e/?callback=")).header("Content-Type") == "application/json");
  CHECK(get(s.url("/e/")).body == "[\r\n]");
  CHECK(get(s.url("/e/?callback=a(b)")).status == 400);
  CHECK(get(s.url("/e/?callback=" + std::string(129, 'a'))).status == 400);
}

TEST_CASE("autoindex as XML") {
  Server s(server("autoindex_format xml;"));
  fill(s);
  const Response r = get(s.url("/"));
  CHECK(r.header("Content-Type") == "text/xml; charset=utf-8");
  CHECK(r.body == "<?xml version=\"1.0\"?>\r\n<list>\r\n"
                  "<directory mtime=\"1986-12-31T10:00:00Z\">zz</directory>\r\n"
                  "<file mtime=\"1986-12-31T10:00:00Z\" size=\"5\">a &amp; &quot;b&quot; &lt;c&gt;.txt</file>\r\n"
                  "<file mtime=\"1986-12-31T10:00:00Z\" size=\"12345\">b.txt</file>\r\n</list>\r\n");
}

TEST_CASE("autoindex shows times of the server's zone when asked") {
  ::setenv("TZ", "EAST-5", 1);  // five hours east
  Server s(server("autoindex_localtime on;"));
  ::unsetenv("TZ");
  fill(s);
  CHECK_THAT(get(s.url("/")).body, ContainsSubstring(" 31-Dec-1986 15:00 "));
}

TEST_CASE("autoindex leaves folders with an index, files and other methods alone") {
  Server s(server(""), {{"html/with/index.html", "index"}, {"html/without/a", "a"}});
  CHECK(get(s.url("/with/")).body == "index");
  CHECK(get(s.url("/without/a")).body == "a");
  CHECK(get(s.url("/none/")).status == 404);
  CHECK(fetch({.url = s.url("/without/"), .method = "POST", .body = ""}).status == 403);
  RawClient c(s.port());
  c.send("HEAD /without/ HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(c.read_response(true).status == 200);
}

TEST_CASE("autoindex below an alias names the URI, and no script in it") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; location ~ ^/in/ { alias %%DIR%%/html/; autoindex on; } }",
           {{"html/a", ""}});
  const Response r = get(s.url("/in/%3Cscript%3E/"));
  CHECK_THAT(r.body, ContainsSubstring("<h1>Index of /in/&lt;script&gt;/</h1>"));
  CHECK_THAT(r.body, ContainsSubstring("<a href=\"a\">"));
}

TEST_CASE("autoindex does nothing without a root") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; autoindex on; }", {{"html/a", ""}});
  CHECK(get(s.url("/")).status == 404);
}
