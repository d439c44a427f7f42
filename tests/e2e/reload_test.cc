// What a reload must not lose: the old worker until the new one serves, and every connection of a client.
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include <deque>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/server.h"
#include "e2e/timing.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string reuseport(int loops) {
  return "worker_processes " + std::to_string(loops) +
         ";\nevents {}\nhttp { server { listen 127.0.0.1:%%PORT_0%% reuseport; location / { return 200 \"" +
         std::to_string(loops) + " loops\"; } } }";
}

std::string answering(std::string_view main, std::string_view inside = {}) {
  return std::string(main).append("\nevents {}\nhttp { server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%/html; ")
      .append(inside).append(" } }");
}

bool connects(int port) {
  const seawall::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(std::uint16_t(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
}

}  // namespace

TEST_CASE("a reload changes the number of loops that have sockets of their own") {
  const auto [before, after] = GENERATE(std::pair{4, 2}, std::pair{1, 3});
  Server s(reuseport(before));
  const pid_t old = serving_process(s);
  REQUIRE(s.reload(reuseport(after)));
  REQUIRE(s.wait_for_log("worker process " + std::to_string(old) + " exited with code 0"));
  for (int i = 0; i < 50; ++i) REQUIRE(get(s.url()).body == std::to_string(after) + " loops");
}

TEST_CASE("nobody listens any more on an address that a reload takes away, even while the old worker has work") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; listen 127.0.0.1:%%PORT_1%%; location / { return 200 here; } }");
  RawClient begun(s.port(1));
  begun.send("GET / HTTP/1.1\r\nHost: a\r\n");
  REQUIRE(get(s.url("/", 1)).body == "here");
  REQUIRE(s.reload("server { listen 127.0.0.1:%%PORT_0%%; location / { return 200 new; } }"));
  CHECK(wait_until([&] { return !connects(s.port(1)); }));
  CHECK(get(s.url()).body == "new");
  begun.send("\r\n");
  CHECK(begun.read_response().body == "here");
}

TEST_CASE("a new worker that cannot serve leaves the present one as it is") {
  Server s(answering("", "location / { return 200 old; }"));
  const pid_t worker = serving_process(s);
  REQUIRE_FALSE(s.reload(answering("worker_rlimit_nofile 8;", "location / { return 200 new; }")));
  CHECK(s.wait_for_log("\\[emerg\\] .*the new worker process does not serve"));
  CHECK(get(s.url()).body == "old");
  CHECK(::kill(worker, 0) == 0);
  REQUIRE(s.reload(answering("", "location / { return 200 newer; }")));
  CHECK(wait_until([&] { return get(s.url()).body == "newer"; }));
}

TEST_CASE("a worker that is replaced after a refused reload serves the configuration that stayed") {
  Server s(answering("", "autoindex on; add_header X-Old yes; access_log access.log;"), {{"html/file", "old"}});
  // Refused after its modules were loaded, in another order.
  REQUIRE_FALSE(s.reload(answering("", "access_log other.log; expires 1d; index x; return 204; autoindex maybe;")));
  s.allow("exited on signal 9");
  const pid_t worker = serving_process(s);
  REQUIRE(::kill(worker, SIGKILL) == 0);
  REQUIRE(s.wait_for_log("worker process " + std::to_string(worker) + " exited on signal 9"));
  const auto file = get(s.url("/file"));
  CHECK(file.body == "old");
  CHECK(file.header("x-old") == "yes");
  CHECK_THAT(get(s.url("/")).body, ContainsSubstring("Index of /"));
  CHECK(s.wait_for_log("GET /file", "access.log"));
}
