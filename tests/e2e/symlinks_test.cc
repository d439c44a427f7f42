// The directive disable_symlinks.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/raw_client.h"
#include "e2e/server.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string server(std::string_view inside) {
  return std::string("server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%/html; ").append(inside).append(" }");
}

const Files kFiles = {{"html/dir/file", "file"}, {"html/dir/index.html", "index"}, {"other/file", "other"}};

// html/to-file, html/to-dir, html/dir/out -> other/file, www -> html.
void link(const Server& s) {
  const std::string html = s.folder() + "/html";
  REQUIRE(::symlink("dir/file", (html + "/to-file").c_str()) == 0);
  REQUIRE(::symlink("dir", (html + "/to-dir").c_str()) == 0);
  REQUIRE(::symlink("../../other/file", (html + "/dir/out").c_str()) == 0);
  REQUIRE(::symlink("html", (s.folder() + "/www").c_str()) == 0);
}

int status(const Server& s, const char* path) { return get(s.url(path)).status; }

}  // namespace

TEST_CASE("links are followed by default") {
  Server s(server(""), kFiles);
  link(s);
  CHECK(get(s.url("/to-file")).body == "file");
  CHECK(get(s.url("/to-dir/")).body == "index");
  CHECK(get(s.url("/dir/out")).body == "other");
}

TEST_CASE("disable_symlinks on refuses a link anywhere in the path") {
  Server s(server("disable_symlinks on; autoindex on; location /www/ { alias %%DIR%%/www/; }"), kFiles);
  link(s);
  CHECK(get(s.url("/dir/file")).body == "file");
  CHECK(get(s.url("/dir/")).body == "index");
  CHECK(status(s, "/to-file") == 403);
  CHECK(status(s, "/to-dir/file") == 403);
  CHECK(status(s, "/to-dir/") == 403);
  CHECK(status(s, "/dir/out") == 403);
  CHECK(status(s, "/www/dir/file") == 403);
  CHECK(status(s, "/none") == 404);
  CHECK(status(s, "/dir/file/x") == 404);
  CHECK(status(s, "/dir") == 301);
  CHECK(s.wait_for_log("openat\\(\\) \"[^\"]*/html/to-file\" failed \\(40: Too many levels of symbolic links\\)"));
}

TEST_CASE("disable_symlinks from= follows links in that part") {
  Server s(server("location /a/ { alias %%DIR%%/www/; disable_symlinks on from=%%DIR%%/www; }"
                  "location /b/ { root %%DIR%%/www; disable_symlinks on from=$document_root/; }"
                  "location /c/ { alias %%DIR%%/www/; disable_symlinks on from=/elsewhere; }"
                  "location = /d { alias %%DIR%%/www/to-file; disable_symlinks on from=%%DIR%%/www/to-file; }"),
           {{"html/dir/file", "file"}, {"html/b/file", "b"}});
  link(s);
  REQUIRE(::symlink("file", (s.folder() + "/html/b/link").c_str()) == 0);
  CHECK(get(s.url("/a/dir/file")).body == "file");
  CHECK(status(s, "/a/to-file") == 403);
  CHECK(get(s.url("/b/file")).body == "b");
  CHECK(status(s, "/b/link") == 403);
  CHECK(status(s, "/c/dir/file") == 403);
  CHECK(get(s.url("/d")).body == "file");
}

TEST_CASE("disable_symlinks if_not_owner follows links to files of their owner") {
  Server s(server("disable_symlinks if_not_owner;"), kFiles);
  link(s);
  CHECK(get(s.url("/to-file")).body == "file");
  CHECK(get(s.url("/to-dir/file")).body == "file");
  CHECK(get(s.url("/to-dir/")).body == "index");
  CHECK(get(s.url("/dir/out")).body == "other");
  if (::geteuid() != 0) return;  // only root gives files away
  const std::string html = s.folder() + "/html";
  REQUIRE(::lchown((html + "/to-file").c_str(), 1, 1) == 0);
  REQUIRE(::lchown((html + "/to-dir").c_str(), 1, 1) == 0);
  CHECK(status(s, "/to-file") == 403);
  CHECK(status(s, "/to-dir/file") == 403);
  REQUIRE(::chown((html + "/dir").c_str(), 1, 1) == 0);
  CHECK(get(s.url("/to-dir/file")).body == "file");
}

TEST_CASE("disable_symlinks: what one location has cached under its rule is not another's") {
  Server s(server("open_file_cache max=10; location /strict/ { alias %%DIR%%/html/; disable_symlinks on; }"), kFiles);
  link(s);
  CHECK(get(s.url("/to-file")).body == "file");
  CHECK(status(s, "/strict/to-file") == 403);
  CHECK(get(s.url("/to-file")).body == "file");
  CHECK(get(s.url("/strict/dir/file")).body == "file");
}

TEST_CASE("disable_symlinks: a file that is exchanged for a link all the time never shows what the link leads to") {
  Server s(server("disable_symlinks on;"), {{"html/f", "mine"}, {"secret", "secret"}});
  const std::string html = s.folder() + "/html/";
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    for (;;) {
      ::symlink("../secret", (html + "l").c_str());
      ::rename((html + "l").c_str(), (html + "f").c_str());
      const int fd = ::open((html + "n").c_str(), O_CREAT | O_WRONLY, 0644);
      if (fd < 0 || ::write(fd, "mine", 4) != 4) ::_exit(1);
      ::close(fd);
      ::rename((html + "n").c_str(), (html + "f").c_str());
    }
  }
  Curl client;
  int served = 0, refused = 0;
  for (int i = 0; i < 500; ++i) {
    const Response r = client.fetch({.url = s.url("/f")});
    if (r.status == 200 && r.body.find("secret") == std::string::npos) ++served;
    else if (r.status == 403) ++refused;
    else CHECK(r.status == 0);
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK(served + refused == 500);
}

TEST_CASE("disable_symlinks: a log whose path comes from the request is not written through a link") {
  Server s("log_format f $uri; server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%/html; access_log %%DIR%%/logs/$arg_to f; "
           "location = /open { disable_symlinks on; } location = /free { } }",
           {{"html/open", ""}, {"html/free", ""}, {"logs/plain", ""}, {"target", ""}});
  REQUIRE(::symlink("../target", (s.folder() + "/logs/link").c_str()) == 0);
  for (const char* path : {"/open?to=link", "/open?to=plain", "/free?to=link"}) REQUIRE(status(s, path) == 200);
  CHECK(s.wait_for_log("^/open$", "logs/plain"));
  CHECK(s.wait_for_log("^/free$", "target"));
  CHECK(s.read("target") == "/free\n");
  CHECK(s.wait_for_log("open\\(\\) \"[^\"]*/logs/link\" failed \\(40: Too many levels of symbolic links\\)"));
}

TEST_CASE("disable_symlinks: a list of a folder shows nothing of what a link leads to") {
  Server s(server("autoindex on; autoindex_format json; location /dir/ { disable_symlinks on; }"), kFiles);
  link(s);
  s.file("other/file", "a longer file");
  CHECK_THAT(get(s.url("/dir/")).body, !ContainsSubstring("\"size\":13"));
  CHECK_THAT(get(s.url("/")).body, ContainsSubstring("\"to-dir\", \"type\":\"directory\""));
}

TEST_CASE("disable_symlinks says what it does not take") {
  const auto error = [](const std::string& words) { return check_config(server("disable_symlinks " + words + ";")).err; };
  CHECK_THAT(error("yes"), ContainsSubstring("invalid parameter \"yes\" in "));
  CHECK_THAT(error("from=/a"),
             ContainsSubstring("\"disable_symlinks\" must have \"off\", \"on\" or \"if_not_owner\" parameter"));
  CHECK_THAT(error("on off"), ContainsSubstring("duplicate parameters \"on off\""));
  CHECK_THAT(error("off from=/a"), ContainsSubstring("\"from=\" cannot be used with \"off\" parameter"));
}

// Of a turn only one looks at a file without a cache; a location with other rules looks for itself.
TEST_CASE("requests that come together are each under the rule of their location") {
  Server s(server("location /free/ { alias %%DIR%%/html/; } location /strict/ { alias %%DIR%%/html/; disable_symlinks on; }"), kFiles);
  REQUIRE(::symlink("/usr/lib/os-release", (s.folder() + "/html/old").c_str()) == 0);
  REQUIRE(status(s, "/free/old") == 200);
  const std::string get_free = "GET /free/old HTTP/1.1\r\nHost: x\r\n\r\n", get_strict = "GET /strict/old HTTP/1.1\r\nHost: x\r\n\r\n";
  RawClient c(s.port());
  c.send(get_free + get_free + get_strict + get_free);
  CHECK(c.read_response().status == 200);
  CHECK(c.read_response().status == 200);
  CHECK(c.read_response().status == 403);
  CHECK(c.read_response().status == 200);
}
