// What is kept of files between requests: contents held against the file system each time, and open_file_cache.
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <deque>
#include <filesystem>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/server.h"
#include "e2e/timing.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string server(std::string_view inside = {}) {
  return std::string("server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%/html; ").append(inside).append(" }");
}

// As a file that was last changed long ago: only such contents are kept. mtime can be set, ctime cannot.
void age(const std::string& path) {
  struct stat s;
  REQUIRE(::stat(path.c_str(), &s) == 0);
  REQUIRE(wait_until([&] { return ::time(nullptr) - s.st_ctim.tv_sec >= 3; }));
}

std::string body(Curl& client, const std::string& url) { return client.fetch({.url = url}).body; }

constexpr int kLarge = 100, kDescriptors = 88, kReserve = 5;  // accept leaves the reserve alone
const std::string kFew = "worker_rlimit_nofile 88;\n";

// Files whose contents stay where they are: 0, 1...
Files large_files() {
  Files files;
  for (int i = 0; i < kLarge; ++i) files.emplace_back("html/" + std::to_string(i), std::string(66'000, 'x'));
  return files;
}

bool is_closed(const RawClient& c) {
  pollfd closed{c.fd(), POLLRDHUP, 0};
  return ::poll(&closed, 1, 0) == 1;
}

const std::string kCache = "open_file_cache max=10; ";

}  // namespace

TEST_CASE("a file that changes is seen changed by the next request, however fast it does") {
  Server s(server());
  Curl client;
  for (int i = 0; i < 300; ++i) {
    const std::string content = std::to_string(1000 + i);  // the same length, mostly the same time
    s.file("html/f", content);
    REQUIRE(body(client, s.url("/f")) == content);
    REQUIRE(body(client, s.url("/f")) == content);
  }
}

TEST_CASE("an old file that changes is seen changed by the next request") {
  Server s(server(), {{"html/f", "1111"}, {"html/g", "gggg"}});
  const std::string path = s.folder() + "/html/f";
  age(path);
  Curl client;
  for (int i = 0; i < 3; ++i) CHECK(body(client, s.url("/f")) == "1111");
  struct stat before;
  REQUIRE(::stat(path.c_str(), &before) == 0);
  s.file("html/f", "2222");
  const timespec times[2] = {before.st_atim, before.st_mtim};  // as cp -p and rsync do
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
  CHECK(body(client, s.url("/f")) == "2222");
  REQUIRE(::rename((s.folder() + "/html/g").c_str(), path.c_str()) == 0);
  CHECK(body(client, s.url("/f")) == "gggg");
  REQUIRE(::unlink(path.c_str()) == 0);
  CHECK(client.fetch({.url = s.url("/f")}).status == 404);
  REQUIRE(::mkdir(path.c_str(), 0755) == 0);
  CHECK(client.fetch({.url = s.url("/f")}).status == 301);
}

TEST_CASE("a large file that is asked for stays open and is let go once nobody asks") {
  Server s(server(), {{"html/large", std::string(100'000, 'a')}});
  const std::string path = s.folder() + "/html/large";
  const auto held = [&] {
    int n = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(serving_process(s)) + "/fd")) {
      std::error_code gone;
      n += std::filesystem::read_symlink(entry, gone).string().starts_with(path);
    }
    return n;
  };
  REQUIRE(get(s.url("/large")).body == std::string(100'000, 'a'));
  REQUIRE(wait_until([&] { return get(s.url("/large")).status == 200 && held() == 1; }));
  s.file("html/new", std::string(100'000, 'b'));
  std::filesystem::rename(s.folder() + "/html/new", path);
  CHECK(get(s.url("/large")).body == std::string(100'000, 'b'));
  REQUIRE(::unlink(path.c_str()) == 0);
  CHECK(wait_until([&] { return held() == 0; }));
  CHECK(get(s.url("/large")).status == 404);
}

TEST_CASE("open_file_cache serves what it has seen until open_file_cache_valid is over") {
  Server s(server(kCache), {{"html/f", "old"}, {"html/large", std::string(100'000, 'l')}, {"html/dir/x", ""}});
  CHECK(get(s.url("/f")).body == "old");
  CHECK(get(s.url("/large")).body.size() == 100'000);
  CHECK(get(s.url("/dir")).status == 301);
  for (const char* name : {"f", "large"}) REQUIRE(::unlink((s.folder() + "/html/" + name).c_str()) == 0);
  CHECK(get(s.url("/f")).body == "old");
  CHECK(get(s.url("/large")).body.size() == 100'000);
  CHECK(get(s.url("/dir")).status == 301);
}

TEST_CASE("open_file_cache looks again when open_file_cache_valid is over") {
  Server s(server(kCache + "open_file_cache_valid 0s;"), {{"html/f", "old"}});
  CHECK(get(s.url("/f")).body == "old");
  s.file("html/f", "new");
  CHECK(get(s.url("/f")).body == "new");
  REQUIRE(::unlink((s.folder() + "/html/f").c_str()) == 0);
  CHECK(get(s.url("/f")).status == 404);
}

TEST_CASE("open_file_cache_errors keeps what is not there") {
  Server s(server(kCache + "location /kept { open_file_cache_errors on; } location /told { }"));
  CHECK(get(s.url("/kept")).status == 404);
  CHECK(get(s.url("/told")).status == 404);
  s.file("html/kept", "x");
  s.file("html/told", "x");
  CHECK(get(s.url("/kept")).status == 404);
  CHECK(get(s.url("/told")).body == "x");
}

TEST_CASE("open_file_cache_min_uses keeps nothing before") {
  Server s(server(kCache + "open_file_cache_min_uses 3;"), {{"html/f", "1"}});
  CHECK(get(s.url("/f")).body == "1");
  s.file("html/f", "2");
  CHECK(get(s.url("/f")).body == "2");
  s.file("html/f", "3");
  CHECK(get(s.url("/f")).body == "3");
  s.file("html/f", "4");
  CHECK(get(s.url("/f")).body == "3");
}

TEST_CASE("open_file_cache forgets what was not asked for longest") {
  Server s(server("open_file_cache max=2;"), {{"html/a", "a"}, {"html/b", "b"}, {"html/c", "c"}});
  for (const char* path : {"/a", "/b", "/c"}) get(s.url(path));
  for (const char* name : {"a", "b", "c"}) s.file(std::string("html/") + name, "new");
  CHECK(get(s.url("/c")).body == "c");
  CHECK(get(s.url("/b")).body == "b");
  CHECK(get(s.url("/a")).body == "new");
}

TEST_CASE("two open_file_caches know nothing of each other, and off is off") {
  Server s(server(kCache + "location /own/ { alias %%DIR%%/html/; open_file_cache max=10 inactive=10s; }"
                           "location /off/ { alias %%DIR%%/html/; open_file_cache off; }"),
           {{"html/f", "old"}});
  CHECK(get(s.url("/f")).body == "old");
  s.file("html/f", "new");
  CHECK(get(s.url("/f")).body == "old");
  CHECK(get(s.url("/own/f")).body == "new");
  CHECK(get(s.url("/off/f")).body == "new");
}

TEST_CASE("open_file_cache makes index and try_files remember, too") {
  Server s(server(kCache + "location /try { try_files $uri.txt =404; }"), {{"html/d/index.html", "i"}, {"html/try.txt", "t"}});
  CHECK(get(s.url("/d/")).body == "i");
  CHECK(get(s.url("/try")).body == "t");
  for (const char* name : {"d/index.html", "try.txt"}) REQUIRE(::unlink((s.folder() + "/html/" + name).c_str()) == 0);
  CHECK(get(s.url("/d/")).body == "i");
  CHECK(get(s.url("/try")).body == "t");
}

TEST_CASE("open_file_cache gives its descriptors back when there are no others") {
  Server s(kFew + "events {}\nhttp { server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%/html; open_file_cache max=1000; } }",
           large_files());
  Curl client;
  for (int i = 0; i < kLarge; ++i) REQUIRE(body(client, s.url("/" + std::to_string(i))).size() == 66'000);
}

TEST_CASE("open_file_cache gives its descriptors back to newcomers and keeps at most half of them") {
  Server s(kFew + "events {}\nhttp { server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%/html; open_file_cache max=1000;\n"
                  "location /other/ { alias %%DIR%%/html/; open_file_cache max=1000; } } }", large_files());
  REQUIRE(get(s.url("/none")).status == 404);
  const int before = open_descriptors(serving_process(s));
  for (int i = 0; i < kLarge; ++i)
    for (const char* way : {"/", "/other/"}) REQUIRE(get(s.url(way + std::to_string(i))).body.size() == 66'000);
  CHECK(open_descriptors(serving_process(s)) <= before + kDescriptors / 2 + 1);
  CHECK(open_descriptors(serving_process(s)) >= before + kDescriptors / 2 - 1);
}

TEST_CASE("open_file_cache gives the descriptors of every loop back to connections") {
  Server s("worker_processes 2;\n" + kFew +
           "events {}\nhttp { server { listen 127.0.0.1:%%PORT_0%% reuseport; root %%DIR%%/html; open_file_cache max=1000; } }",
           large_files());
  REQUIRE(get(s.url("/none")).status == 404);
  const int before = open_descriptors(serving_process(s));
  for (int i = 0; i < kLarge; ++i) REQUIRE(get(s.url("/" + std::to_string(i))).body.size() == 66'000);
  std::deque<RawClient> clients;
  for (int i = 0; i < 2 * kDescriptors; ++i) clients.emplace_back(s.port());
  CHECK(wait_until([&] { return open_descriptors(serving_process(s)) >= kDescriptors - kReserve - 1; }));
  const auto held = [&] {
    int n = 0;
    for (const RawClient& c : clients) n += !is_closed(c);
    return n;
  };
  CHECK(wait_until([&] { return held() <= kDescriptors; }));
  CHECK(held() >= kDescriptors - kReserve - before - 4);
}

TEST_CASE("open_file_cache gives its descriptors back to a walk, and keeps nothing of a want of them") {
  Files files = large_files();
  files.emplace_back("html/once/f", std::string(8 << 20, 'x'));
  Server s(kFew + "events {}\nhttp { server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%/html; disable_symlinks on;\n"
                  "open_file_cache max=1000; open_file_cache_errors on; location /once/ { open_file_cache_min_uses 1000; } } }", files);
  {
    Curl client;
    for (int i = 0; i < kLarge; ++i) REQUIRE(body(client, s.url("/" + std::to_string(i))).size() == 66'000);
  }
  const int worker = serving_process(s);
  const int left = kDescriptors - kReserve - 1 - settled_descriptors(worker);
  REQUIRE(left > 2 * kReserve);
  std::deque<RawClient> clients;  // each with a descriptor for itself, and one for the file it is sent
  for (int i = 0; i < left; ++i) {
    clients.emplace_back(s.port(), "127.0.0.1", 4096).send("GET /none HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(clients.back().read_response().status == 404);
  }
  for (RawClient& c : clients) {
    c.send("GET /once/f HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(c.read_until("\r\n").starts_with("HTTP/1.1 200"));
  }
}

TEST_CASE("open_file_cache refuses what it does not know") {
  CHECK_THAT(check_config(server("open_file_cache max=0;")).err,
             ContainsSubstring("invalid \"open_file_cache\" parameter \"max=0\" in "));
  CHECK_THAT(check_config(server("open_file_cache inactive=x max=1;")).err, ContainsSubstring("parameter \"inactive=x\""));
  CHECK_THAT(check_config(server("open_file_cache on;")).err, ContainsSubstring("parameter \"on\""));
  CHECK_THAT(check_config(server("open_file_cache inactive=1s;")).err,
             ContainsSubstring("\"open_file_cache\" must have the \"max\" parameter"));
}
