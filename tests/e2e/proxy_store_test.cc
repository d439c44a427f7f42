// proxy_store and proxy_store_access.
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <future>
#include <memory>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/server.h"
#include "e2e/timing.h"
#include "e2e/upstream.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string site(const Upstream& up, const std::string& inside) {
  return "server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%/kept; location / { proxy_pass " + up.url() + "; " + inside + " } }";
}

void answer(RawClient& c) {
  const std::string head = c.read_until("\r\n\r\n");
  const bool gone = head.find("/gone") != std::string::npos, cut = head.find("/cut") != std::string::npos;
  c.send(std::string("HTTP/1.1 ") + (gone ? "404 No" : "200 OK") +
         "\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\nConnection: close\r\nContent-Length: 4\r\n\r\n" +
         (head.starts_with("HEAD") ? "" : cut ? "te" : "text"));
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

int files_in(const std::string& folder) {
  int count = 0;
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), ::closedir);
  while (open && ::readdir(open.get())) ++count;
  return open ? count - 2 : 0;  // . and ..
}

}  // namespace

TEST_CASE("proxy_store keeps what is whole and has status 200") {
  Upstream up(answer);
  Server s(site(up, "proxy_store on; proxy_store_access user:rw group:r all:r;"));
  CHECK(get(s.url("/a/b.txt?x")).body == "text");
  CHECK(s.read("kept/a/b.txt") == "text");
  struct stat file;
  REQUIRE(::stat((s.folder() + "/kept/a/b.txt").c_str(), &file) == 0);
  CHECK((file.st_mode & 0777) == 0644);
  CHECK(file.st_mtime == 784111777);
  CHECK(get(s.url("/a/gone")).status == 404);
  Request head;
  head.url = s.url("/a/head");
  head.method = "HEAD";
  CHECK(fetch(head).status == 200);
  CHECK_THROWS(get(s.url("/a/cut")));
  CHECK(files_in(s.folder() + "/kept/a") == 1);
}

TEST_CASE("proxy_store with a path of its own, which does not lead up") {
  Upstream up(answer);
  Server s(site(up, "proxy_store %%DIR%%/else/$arg_to;"));
  CHECK(get(s.url("/x?to=one")).body == "text");
  CHECK(s.read("else/one") == "text");
  CHECK(get(s.url("/x?to=../two")).body == "text");
  CHECK_FALSE(exists(s.folder() + "/two"));
}

TEST_CASE("proxy_store goes on when the client leaves") {
  std::promise<void> left;
  const std::shared_future<void> word = left.get_future().share();
  Upstream up([word](RawClient& c) {
    c.read_until("\r\n\r\n");
    c.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 8\r\n\r\nhalf");
    word.wait_for(kPatience);
    c.send("half");
  });
  Server s(site(up, "proxy_store on;"));
  {
    RawClient c(s.port());
    c.send("GET /f HTTP/1.1\r\nHost: a\r\n\r\n");
    c.read_until("half");
  }
  left.set_value();
  CHECK(wait_until([&] { return exists(s.folder() + "/kept/f"); }));
  CHECK(s.read("kept/f") == "halfhalf");
}

TEST_CASE("mistakes of proxy_store are named") {
  const auto [line, message] = GENERATE(table<std::string, std::string>(
      {{"proxy_store '';", "empty path"},
       {"proxy_store on; proxy_store off;", "\"proxy_store\" directive is duplicate"},
       {"proxy_store_access everybody:r;", "invalid value \"everybody:r\""},
       {"proxy_store_access user:x;", "invalid value \"user:x\""},
       {"proxy_cache_path %%DIR%%/c keys_zone=c:1m; proxy_cache c; proxy_store on;", "\"proxy_store\" directive is incompatible with \"proxy_cache\""}}));
  const Run run = check_config(line);
  CHECK(run.exit_code == 1);
  CHECK_THAT(run.err, ContainsSubstring(message));
}
