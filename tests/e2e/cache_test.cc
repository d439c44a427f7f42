// Responses of upstreams that are kept in a cache: which, how long, for whom, and what a killed server leaves of them.
#include <sys/stat.h>
#include <zlib.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/fastcgi_peer.h"
#include "e2e/old_file.h"
#include "e2e/server.h"
#include "e2e/timing.h"
#include "e2e/upstream.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

// Answers each request with the next number, and these fields.
class Counter {
 public:
  explicit Counter(std::string fields, std::string line = "200 OK")
      : fields_(std::move(fields)), line_(std::move(line)), up_([this](RawClient& c) { play(c); }) {}
  std::string url() const { return up_.url(); }
  int requests() const { return requests_; }
  std::string last() const {
    const std::lock_guard lock(mutex_);
    return last_;
  }

 private:
  void play(RawClient& c) {
    const std::string head = c.read_until("\r\n\r\n");
    const std::string body = "answer " + std::to_string(++requests_);
    {
      const std::lock_guard lock(mutex_);
      last_ = head;
    }
    c.send("HTTP/1.1 " + line_ + "\r\nConnection: close\r\n" + fields_ + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
           (head.starts_with("HEAD") ? "" : body));
  }

  const std::string fields_, line_;
  std::atomic<int> requests_ = 0;
  mutable std::mutex mutex_;
  std::string last_;
  Upstream up_;
};

std::string config(const std::string& inside, const std::string& path_options = {}) {
  return "proxy_cache_path %%DIR%%/cache keys_zone=one:1m levels=1:2 " + path_options +
         "; add_header X-Cache $upstream_cache_status always; server { listen 127.0.0.1:%%PORT_0%%; " + inside + " }";
}

std::string cached(const std::string& url, const std::string& more = {}) {
  return "location / { proxy_pass " + url + "; proxy_cache one; " + more + " }";
}

std::vector<std::string> files_below(const std::string& folder) {
  std::vector<std::string> files;
  if (!std::filesystem::exists(folder)) return files;
  for (const auto& item : std::filesystem::recursive_directory_iterator(folder))
    if (item.is_regular_file()) files.push_back(item.path());
  return files;
}

// The same entry as another run of the machine has left it: its head says so, and the head's check is right (core/cache).
std::string of_another_boot(std::string entry) {
  constexpr std::size_t kCheck = 8, kSize = 12, kBoot = 40;
  entry[kBoot] ^= 1;
  std::uint32_t size, check = 0;
  std::memcpy(&size, &entry[kSize], sizeof size);
  std::memcpy(&entry[kCheck], &check, sizeof check);
  check = static_cast<std::uint32_t>(::crc32_z(0, reinterpret_cast<const unsigned char*>(entry.data()), size));
  std::memcpy(&entry[kCheck], &check, sizeof check);
  return entry;
}

std::string status_of(const Response& r) { return r.header("X-Cache"); }

}  // namespace

TEST_CASE("a response that says how long it is good for is asked for once") {
  Counter up("Cache-Control: max-age=60\r\nX-Own: kept\r\n");
  Server s(config(cached(up.url())));
  const Response first = get(s.url("/a"));
  CHECK(status_of(first) == "MISS");
  CHECK(first.body == "answer 1");
  const Response second = get(s.url("/a"));
  CHECK(status_of(second) == "HIT");
  CHECK(second.body == "answer 1");
  CHECK(second.header("X-Own") == "kept");
  CHECK(get(s.url("/b")).body == "answer 2");
  CHECK(up.requests() == 2);
}

TEST_CASE("a response that nobody has given a time is not kept") {
  Counter up("");
  Server s(config(cached(up.url())));
  CHECK(get(s.url("/")).body == "answer 1");
  CHECK(get(s.url("/")).body == "answer 2");
}

TEST_CASE("proxy_cache_valid gives responses a time by their status") {
  Counter up("", "404 Not Found");
  Server s(config(cached(up.url(), "proxy_cache_valid 200 1m; proxy_cache_valid 404 1m;")));
  CHECK(get(s.url("/")).body == "answer 1");
  const Response r = get(s.url("/"));
  CHECK(r.status == 404);
  CHECK(r.body == "answer 1");
}

TEST_CASE("a response with a cookie, or that forbids it, is not kept") {
  for (const char* fields : {"Cache-Control: max-age=60\r\nSet-Cookie: a=b\r\n", "Cache-Control: private, max-age=60\r\n",
                             "Cache-Control: max-age=60\r\nVary: *\r\n", "X-Accel-Expires: 0\r\nCache-Control: max-age=60\r\n"}) {
    Counter up(fields);
    Server s(config(cached(up.url())));
    CHECK(get(s.url("/")).body == "answer 1");
    CHECK(get(s.url("/")).body == "answer 2");
  }
}

TEST_CASE("conditions and ranges of the client are judged by the cache, not by the upstream") {
  Counter up("Cache-Control: max-age=60\r\nETag: \"x\"\r\nAccept-Ranges: bytes\r\n");
  Server s(config(cached(up.url())));
  const auto ask = [&](const std::string& field) {
    RawClient c(s.port());
    c.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + field + "\r\n\r\n");
    return c.read_response();
  };
  const auto part = ask("Range: bytes=0-2");
  CHECK(part.status == 206);
  CHECK(part.body == "ans");
  CHECK(up.last().find("Range") == std::string::npos);
  CHECK(ask("Range: bytes=7-").body == "1");
  CHECK(ask("If-None-Match: \"x\"").status == 304);
  CHECK(up.requests() == 1);
}

TEST_CASE("HEAD fetches the whole response for the cache") {
  Counter up("Cache-Control: max-age=60\r\n");
  Server s(config(cached(up.url())));
  RawClient c(s.port());
  c.send("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  CHECK_THAT(c.read_until("\r\n\r\n"), ContainsSubstring("Content-Length: 8"));
  CHECK(up.last().starts_with("GET "));
  CHECK(get(s.url("/")).body == "answer 1");
}

TEST_CASE("what is in a cache survives a reload") {
  Counter up("Cache-Control: max-age=60\r\n");
  Server s(config(cached(up.url())));
  CHECK(status_of(get(s.url("/"))) == "MISS");
  REQUIRE(s.reload());
  CHECK(status_of(get(s.url("/"))) == "HIT");
}

TEST_CASE("an old response is sent when the upstream fails and proxy_cache_use_stale says so") {
  std::atomic<bool> broken = false;
  Upstream up([&](RawClient& c) {
    c.read_until("\r\n\r\n");
    if (broken) c.send("HTTP/1.1 500 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    else c.send("HTTP/1.1 200 OK\r\nConnection: close\r\nX-Accel-Expires: @1\r\nContent-Length: 3\r\n\r\nold");
  });
  Server s(config(cached(up.url(), "proxy_cache_use_stale http_500;")));
  CHECK(get(s.url("/")).body == "old");
  broken = true;
  const Response r = get(s.url("/"));
  CHECK(status_of(r) == "STALE");
  CHECK(r.body == "old");
}

TEST_CASE("an old response that has not changed is kept on") {
  std::atomic<int> asked = 0;
  std::atomic<bool> conditional = false;
  Upstream up([&](RawClient& c) {
    const std::string head = c.read_until("\r\n\r\n");
    if (++asked == 1) {
      c.send("HTTP/1.1 200 OK\r\nConnection: close\r\nETag: \"v\"\r\nX-Accel-Expires: @1\r\nContent-Length: 3\r\n\r\nold");
      return;
    }
    conditional = head.find("If-None-Match: \"v\"") != std::string::npos;
    c.send("HTTP/1.1 304 Not Modified\r\nConnection: close\r\nX-Accel-Expires: 60\r\n\r\n");
  });
  Server s(config(cached(up.url(), "proxy_cache_revalidate on;")));
  CHECK(get(s.url("/")).body == "old");
  const Response r = get(s.url("/"));
  CHECK(status_of(r) == "REVALIDATED");
  CHECK(r.body == "old");
  CHECK(conditional);
  CHECK(status_of(get(s.url("/"))) == "HIT");
}

TEST_CASE("an old response is sent at once and replaced in the background") {
  std::atomic<int> asked = 0;
  Upstream up([&](RawClient& c) {
    c.read_until("\r\n\r\n");
    const bool first = ++asked == 1;
    c.send(std::string("HTTP/1.1 200 OK\r\nConnection: close\r\nX-Accel-Expires: ") + (first ? "@1" : "60") +
           "\r\nContent-Length: 3\r\n\r\n" + (first ? "old" : "new"));
  });
  Server s(config(cached(up.url(), "proxy_cache_use_stale updating; proxy_cache_background_update on;")));
  CHECK(get(s.url("/")).body == "old");
  RawClient c(s.port());  // the connection's next request waits for the update
  c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto stale = c.read_response();
  CHECK(stale.body == "old");
  c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(c.read_response().body == "new");
}

TEST_CASE("requests that come while a response is fetched wait for it") {
  std::atomic<int> asked = 0;
  std::atomic<bool> go = false;
  Upstream up([&](RawClient& c) {
    c.read_until("\r\n\r\n");
    ++asked;
    while (!go) go.wait(false);
    c.send("HTTP/1.1 200 OK\r\nConnection: close\r\nCache-Control: max-age=60\r\nContent-Length: 2\r\n\r\nok");
  });
  Server s(config(cached(up.url(), "proxy_cache_lock on; proxy_cache_lock_age 60s; proxy_cache_lock_timeout 60s;") +
                  "location /seen { return 200 seen; }"));
  RawClient first(s.port()), second(s.port());
  first.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(wait_until([&] { return asked == 1; }));
  second.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  // On one loop, and later than the second request: it has looked when this has been answered.
  CHECK(get(s.url("/seen")).body == "seen");
  go = true;
  go.notify_all();
  CHECK(first.read_response().body == "ok");
  CHECK(second.read_response().body == "ok");
  CHECK(asked == 1);
}

TEST_CASE("responses that vary are kept for each kind of request") {
  Counter up("Cache-Control: max-age=60\r\nVary: X-Kind\r\n");
  Server s(config(cached(up.url())));
  const auto ask = [&](const std::string& kind) {
    RawClient c(s.port());
    c.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Kind: " + kind + "\r\n\r\n");
    return c.read_response().body;
  };
  CHECK(ask("a") == "answer 1");
  CHECK(ask("b") == "answer 2");
  CHECK(ask("a") == "answer 1");
  CHECK(ask("b") == "answer 2");
}

TEST_CASE("a request may remove a response from the cache") {
  Counter up("Cache-Control: max-age=60\r\n");
  Server s(config(cached(up.url(), "proxy_cache_key $uri; proxy_cache_purge $arg_purge;")));
  CHECK(get(s.url("/")).body == "answer 1");
  CHECK(get(s.url("/?purge=1")).status == 204);
  CHECK(get(s.url("/?purge=1")).status == 404);
  CHECK(get(s.url("/")).body == "answer 2");
}

TEST_CASE("a response that breaks off, or whose client leaves, is kept whole or not at all") {
  Upstream up([](RawClient& c) {
    const std::string head = c.read_until("\r\n\r\n");
    c.send("HTTP/1.1 200 OK\r\nConnection: close\r\nCache-Control: max-age=60\r\nContent-Length: 100000\r\n\r\n");
    c.send(std::string(head.find("/short") != std::string::npos ? 70'000 : 100'000, 'x'));
  });
  Server s(config(cached(up.url())));
  RawClient(s.port()).send("GET /left HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(wait_for_change(s.folder(), [&] { return files_below(s.folder() + "/cache").size() == 1; }, Clock::now() + kPatience));
  CHECK(get(s.url("/left")).body.size() == 100'000);
  RawClient c(s.port());
  c.send("GET /short HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  c.expect_close(kPatience);
  CHECK(files_below(s.folder() + "/cache").size() == 1);
}

TEST_CASE("an entry of which a crash has left a part is asked for again") {
  Counter up("Cache-Control: max-age=60\r\n");
  Server s(config(cached(up.url())));
  const auto spoil = [&](auto change) {
    CHECK(status_of(get(s.url("/"))) != "");
    const auto files = files_below(s.folder() + "/cache");
    REQUIRE(files.size() == 1);
    change(files[0], std::filesystem::file_size(files[0]));
    CHECK(status_of(get(s.url("/"))) == "MISS");
    CHECK(status_of(get(s.url("/"))) == "HIT");
  };
  const auto write = [](const std::string& file, std::size_t at, const std::string& bytes) {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(static_cast<std::streamoff>(at));
    stream << bytes;
  };
  spoil([](const std::string& file, auto size) { std::filesystem::resize_file(file, size - 1); });
  spoil([](const std::string& file, auto) { std::filesystem::resize_file(file, 0); });
  spoil([&](const std::string& file, auto) { write(file, 200, "zz"); });
  spoil([&](const std::string& file, auto) { write(file, 0, "garbage"); });
}

TEST_CASE("an entry in memory that changes on the disk is seen changed by the next request") {
  Counter up("Cache-Control: max-age=600\r\n");
  Server s(config(cached(up.url(), "proxy_cache_purge $arg_purge; proxy_cache_key $uri;")));
  REQUIRE(status_of(get(s.url("/"))) == "MISS");
  const auto only = [&] {
    const auto files = files_below(s.folder() + "/cache");
    REQUIRE(files.size() == 1);
    return files[0];
  };
  const std::string file = only(), whole = read_file(file);
  const auto hits = [&](const std::string& body) {
    wait_until_old(file);
    for (int i = 0; i < 3; ++i) {
      const Response r = get(s.url("/"));
      CHECK((status_of(r) == "HIT" && r.body == body));
    }
  };
  hits("answer 1");
  std::string spoiled = whole;
  spoiled[100] ^= 1;
  write_file(file, spoiled);
  CHECK(status_of(get(s.url("/"))) == "MISS");
  hits("answer 2");
  write_file(file, whole);
  CHECK(get(s.url("/")).body == "answer 1");
  hits("answer 1");
  CHECK(get(s.url("/?purge=1")).status == 204);
  CHECK(get(s.url("/")).body == "answer 3");
  hits("answer 3");
  REQUIRE(std::filesystem::remove(file));
  CHECK(get(s.url("/")).body == "answer 4");
}

TEST_CASE("the age of a response counts, and is told") {
  Counter old("Cache-Control: max-age=60\r\nAge: 60\r\n"), young("Cache-Control: max-age=60\r\nAge: 20\r\n");
  Counter late("Date: Thu, 01 Jan 2099 00:00:10 GMT\r\nExpires: Thu, 01 Jan 2099 00:00:00 GMT\r\n");
  Server s(config("proxy_cache one; location / { proxy_pass " + old.url() + "; } location /young { proxy_pass " + young.url() +
                  "; } location /late { proxy_pass " + late.url() + "; } location /silent { proxy_pass " + young.url() +
                  "; proxy_hide_header Age; }"));
  for (const char* path : {"/", "/late"}) {
    CHECK(status_of(get(s.url(path))) == "MISS");
    CHECK(status_of(get(s.url(path))) == "MISS");
  }
  CHECK(get(s.url("/young")).header("Age") == "20");
  const Response hit = get(s.url("/young"));
  CHECK(status_of(hit) == "HIT");
  CHECK(hit.count("Age") == 1);
  CHECK(std::stoi(hit.header("Age")) >= 20);
  get(s.url("/silent"));
  CHECK(get(s.url("/silent")).count("Age") == 0);
}

TEST_CASE("a request that may have changed a response lets go of it, unless it failed") {
  Counter up("Cache-Control: max-age=60\r\n"), fails("", "500 No");
  Server s(config("proxy_cache one; proxy_cache_key $uri; location / { if ($arg_fail) { proxy_pass " + fails.url() + "; } proxy_pass " + up.url() + "; }"));
  const auto ask = [&](const char* method, const std::string& path) {
    Request request;
    request.method = method;
    request.url = s.url(path);
    return fetch(request).status;
  };
  for (const char* method : {"POST", "PUT", "DELETE", "M-OWN"}) {
    get(s.url("/"));
    CHECK(status_of(get(s.url("/"))) == "HIT");
    CHECK(ask(method, "/?fail=1") == 500);
    CHECK(ask("OPTIONS", "/") == 200);
    CHECK(status_of(get(s.url("/"))) == "HIT");
    CHECK(ask(method, "/") == 200);
    CHECK(status_of(get(s.url("/"))) == "MISS");
  }
}

TEST_CASE("what a 304 says anew of a response is its own from then on") {
  std::atomic<int> asked = 0;
  Upstream up([&](RawClient& c) {
    c.read_until("\r\n\r\n");
    if (++asked == 1)
      c.send("HTTP/1.1 200 OK\r\nConnection: close\r\nETag: \"v\"\r\nX-A: old\r\nX-B: old\r\nContent-Type: text/own\r\nX-Accel-Expires: @1\r\nContent-Length: 3\r\n\r\nold");
    else
      c.send("HTTP/1.1 304 Not Modified\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nX-Accel-Expires: 600\r\nX-A: new\r\nX-C: new\r\nContent-Type: text/no\r\n\r\n");
  });
  Server s(config(cached(up.url(), "proxy_cache_revalidate on;")));
  CHECK(get(s.url("/")).header("X-A") == "old");
  for (const char* status : {"REVALIDATED", "HIT", "HIT"}) {
    const Response r = get(s.url("/"));
    CHECK(status_of(r) == status);
    CHECK(r.body == "old");
    CHECK((r.header("X-A") == "new" && r.header("X-B") == "old" && r.header("X-C") == "new" && r.header("Content-Type") == "text/own"));
    CHECK((r.count("X-A") == 1 && r.count("X-Hop") == 0));
  }
}

TEST_CASE("a response that is found unchanged is as old as the answer that says so") {
  std::atomic<int> asked = 0;
  Upstream up([&](RawClient& c) {
    const bool fresh = c.read_until("\r\n\r\n").starts_with("GET /fresh");
    if (++asked % 2 == 1)
      c.send("HTTP/1.1 200 OK\r\nConnection: close\r\nETag: \"v\"\r\nAge: 5000\r\nX-Accel-Expires: @1\r\nContent-Length: 3\r\n\r\nold");
    else
      c.send(std::string("HTTP/1.1 304 Not Modified\r\nConnection: close\r\nX-Accel-Expires: 600\r\n") + (fresh ? "" : "Age: 1000\r\n") + "\r\n");
  });
  Server s(config(cached(up.url(), "proxy_cache_revalidate on;")));
  for (const auto& [path, least] : {std::pair("/fresh", 0), std::pair("/", 1000)}) {
    CHECK(get(s.url(path)).header("Age") == "5000");
    for (const char* status : {"REVALIDATED", "HIT"}) {
      const Response r = get(s.url(path));
      CHECK(status_of(r) == status);
      const int age = std::stoi(r.header("Age"));
      CHECK((age >= least && age < least + 900));
    }
  }
}

TEST_CASE("a field that an upstream's Connection names ends here, and is not kept") {
  Counter up("Cache-Control: max-age=60\r\nConnection: x-hop, close\r\nX-Hop: 1\r\nX-End: 1\r\n");
  Server s(config(cached(up.url())));
  for (const char* status : {"MISS", "HIT"}) {
    const Response r = get(s.url("/"));
    CHECK(status_of(r) == status);
    CHECK((r.count("X-Hop") == 0 && r.count("X-End") == 1));
  }
}

// Short ones are checked with their head, long ones beside the loop.
TEST_CASE("an entry from before the machine started is sent if its body is what it was") {
  const auto size = GENERATE(std::size_t{100}, std::size_t{300'000});
  Upstream up([&](RawClient& c) {
    c.read_until("\r\n\r\n");
    c.send("HTTP/1.1 200 OK\r\nConnection: close\r\nCache-Control: max-age=60\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
           std::string(size, 'x'));
  });
  Server s(config(cached(up.url())));
  REQUIRE(status_of(get(s.url("/"))) == "MISS");
  REQUIRE(wait_for_change(s.folder(), [&] { return files_below(s.folder() + "/cache").size() == 1; }, Clock::now() + kPatience));
  const std::string file = files_below(s.folder() + "/cache")[0];
  const std::string before = read_file(file);
  write_file(file, of_another_boot(before));
  CHECK(status_of(get(s.url("/"))) == "HIT");
  CHECK(read_file(file) == before);  // it says that it has been checked
  std::string spoiled = of_another_boot(before);
  spoiled.back() = 'y';
  write_file(file, spoiled);
  CHECK(status_of(get(s.url("/"))) == "MISS");
  CHECK(status_of(get(s.url("/"))) == "HIT");
}

TEST_CASE("a key names the socket of a unix upstream") {
  Server s(config("location /a/ { proxy_pass http://unix:%%DIR%%/a.sock:/; proxy_cache one; }"
                  "location /b/ { proxy_pass http://unix:%%DIR%%/b.sock:/; proxy_cache one; }") +
           " server { listen unix:%%DIR%%/a.sock; add_header Cache-Control max-age=60; return 200 a; }"
           " server { listen unix:%%DIR%%/b.sock; add_header Cache-Control max-age=60; return 200 b; }");
  CHECK(get(s.url("/a/")).body == "a");
  CHECK(get(s.url("/b/")).body == "b");
  CHECK(status_of(get(s.url("/a/"))) == "HIT");
}

TEST_CASE("an old response takes the place of an early failure while the request is still on its way") {
  std::atomic<bool> broken = false;
  Upstream up([&](RawClient& c) {
    c.read_until("\r\n\r\n");
    if (!broken) return c.send("HTTP/1.1 200 OK\r\nConnection: close\r\nX-Accel-Expires: @1\r\nContent-Length: 3\r\n\r\nold");
    c.send("HTTP/1.1 503 No\r\nContent-Length: 10\r\n\r\n12345");  // and reads no more
    c.expect_close(kPatience);
  });
  Server s(config("client_max_body_size 64m; " + cached(up.url(), "proxy_cache_use_stale http_503; proxy_cache_key $uri;")));
  CHECK(get(s.url("/")).body == "old");
  broken = true;
  Request with_body;
  with_body.url = s.url("/");
  with_body.body = std::string(32 << 20, 'b');
  const Response r = fetch(with_body);
  CHECK(status_of(r) == "STALE");
  CHECK(r.body == "old");
}

TEST_CASE("a response whose rate is limited is kept whole, also for nobody") {
  Counter up("Cache-Control: max-age=60\r\n");
  Server s(config(cached(up.url(), "proxy_limit_rate 1m;")));
  RawClient c(s.port());
  c.send("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  c.read_until("\r\n\r\n");
  REQUIRE(wait_for_change(s.folder(), [&] { return files_below(s.folder() + "/cache").size() == 1; }, Clock::now() + kPatience));
  const Response r = get(s.url("/"));
  CHECK(status_of(r) == "HIT");
  CHECK(r.body == "answer 1");
}

TEST_CASE("PURGE may be the method that removes a response") {
  Counter up("Cache-Control: max-age=60\r\n");
  Server s("map $request_method $purge { PURGE 1; default 0; } " + config(cached(up.url(), "proxy_cache_purge $purge;")));
  CHECK(get(s.url("/")).body == "answer 1");
  Request purge;
  purge.url = s.url("/");
  purge.method = "PURGE";
  CHECK(fetch(purge).status == 204);
  CHECK(get(s.url("/")).body == "answer 2");
}

TEST_CASE("a zone does not go over to another folder") {
  Counter up("Cache-Control: max-age=60\r\n");
  Server s(config(cached(up.url())));
  s.allow("cache path while previously");
  std::string other = config(cached(up.url()));
  other.replace(other.find("levels=1:2"), 10, "levels=2");
  CHECK_FALSE(s.reload(other));
  CHECK_THAT(s.error_log(), ContainsSubstring("cache path while previously it used the \"" + s.folder() + "/cache:1:2\" cache path"));
  CHECK(get(s.url("/")).body == "answer 1");
}

TEST_CASE("a server killed in the middle of a response leaves nothing that is sent") {
  std::atomic<bool> whole = false;
  Upstream up([&](RawClient& c) {
    c.read_until("\r\n\r\n");
    c.send("HTTP/1.1 200 OK\r\nConnection: close\r\nCache-Control: max-age=60\r\nContent-Length: 10\r\n\r\n12345");
    if (whole) c.send("67890");
    else c.expect_close(kPatience);
  });
  const std::string folder = make_folder();
  const std::string text = "proxy_cache_path " + folder + "/cache keys_zone=one:1m use_temp_path=off; add_header X-Cache $upstream_cache_status;"
                           "server { listen 127.0.0.1:%%PORT_0%%; location / { proxy_pass " + up.url() + "; proxy_cache one; } }";
  {
    Server s(text);
    RawClient c(s.port());
    c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    c.read_until("12345");
    s.kill();
  }
  whole = true;
  Server s(text);
  const Response r = get(s.url("/"));
  CHECK(status_of(r) == "MISS");
  CHECK(r.body == "1234567890");
}

TEST_CASE("Expires is understood whatever its capitals") {
  Counter up("Expires: thu, 01 JAN 2099 00:00:00 gmt\r\n");
  Server s(config(cached(up.url())));
  CHECK(status_of(get(s.url("/"))) == "MISS");
  CHECK(status_of(get(s.url("/"))) == "HIT");
}

TEST_CASE("fastcgi has a cache, too") {
  Upstream up([](RawClient& c) {
    read_fastcgi(c);
    c.send(fastcgi_response("Status: 200\r\nCache-Control: max-age=60\r\n\r\nhello"));
  });
  Server s("fastcgi_cache_path %%DIR%%/cache keys_zone=two:1m; add_header X-Cache $upstream_cache_status; server { listen 127.0.0.1:%%PORT_0%%; "
           "location / { fastcgi_pass 127.0.0.1:" + std::to_string(up.port()) + "; fastcgi_cache two; fastcgi_cache_key $uri; } }");
  CHECK(status_of(get(s.url("/"))) == "MISS");
  CHECK(status_of(get(s.url("/"))) == "HIT");
}

TEST_CASE("caches that cannot be are refused in nginx's words") {
  const auto refused = [](const std::string& text, const std::string& why) {
    const Run run = check_config(text);
    CHECK(run.exit_code == 1);
    CHECK_THAT(run.err, ContainsSubstring(why));
  };
  refused("proxy_cache one;", "\"proxy_cache\" zone \"one\" is unknown");
  refused("proxy_cache_path c levels=1;", "\"proxy_cache_path\" must have \"keys_zone\" parameter");
  refused("proxy_cache_path c keys_zone=one:1m levels=3;", "invalid \"levels\" \"levels=3\"");
  refused("proxy_cache_path c keys_zone=one:1k;", "is too small");
  refused("proxy_cache_path c keys_zone=one:1m; proxy_cache_path d keys_zone=one:1m;", "duplicate zone \"one\"");
}
