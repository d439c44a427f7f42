// What a reload must not lose: the old worker until the new one serves, and every connection of a client.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include <deque>
#include <filesystem>

#include "catch.h"
#include "e2e/crowd.h"
#include "e2e/curl.h"
#include "e2e/probe.h"
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

bool connects(int port, const char* address) {
  const seawall::Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(std::uint16_t(port));
  ::inet_pton(AF_INET, address, &to.sin_addr);
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
  Server s("server { listen 127.0.0.1:%%PORT_0%%; listen 127.0.0.9:%%PORT_0%%; location / { return 200 here; } }");
  RawClient begun(s.port(), "127.0.0.9");
  begun.send("GET / HTTP/1.1\r\nHost: a\r\n");
  REQUIRE(get("http://127.0.0.9:" + std::to_string(s.port()) + "/").body == "here");
  REQUIRE(s.reload("server { listen 127.0.0.1:%%PORT_0%%; location / { return 200 new; } }"));
  CHECK(wait_until([&] { return !connects(s.port(), "127.0.0.9"); }));
  CHECK(get(s.url()).body == "new");
  begun.send("\r\n");
  CHECK(begun.read_response().body == "here");
}

TEST_CASE("a new worker that cannot serve leaves the present one as it is") {
  Server s(answering("", "location / { return 200 old; }"));
  s.allow("exited on signal 9");
  const pid_t worker = serving_process(s);
  REQUIRE_FALSE(s.reload(answering("worker_rlimit_nofile 8;", "location / { return 200 new; }")));
  CHECK(s.wait_for_log("\\[emerg\\] .*Too many open files\\)?, the present configuration stays"));
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

TEST_CASE("reuseport is added and taken away by a reload") {
  const auto config = [](const char* reuseport) {
    return std::string("worker_processes 3;\nevents {}\nhttp { server { listen 127.0.0.1:%%PORT_0%% ") + reuseport +
           "; location / { return 200 here; } } }";
  };
  Server s(config(""));
  for (const char* next : {"reuseport", "", "reuseport"}) {
    const pid_t old = serving_process(s);
    REQUIRE(s.reload(config(next)));
    REQUIRE(s.wait_for_log("worker process " + std::to_string(old) + " exited with code 0"));
    for (int i = 0; i < 30; ++i) REQUIRE(get(s.url()).body == "here");
  }
}

TEST_CASE("an idle connection outlives a reload until it was told, or keepalive_min_timeout has passed") {
  Server s("keepalive_min_timeout 1h; server { listen 127.0.0.1:%%PORT_0%%; location / { return 200 here; } }"
           "server { listen 127.0.0.1:%%PORT_1%%; keepalive_min_timeout 0; location / { return 200 here; } }");
  RawClient kept(s.port()), dropped(s.port(1));
  for (RawClient* c : {&kept, &dropped}) {
    c->send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(c->read_response().header("connection") != "close");
  }
  REQUIRE(s.reload());
  kept.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const Response last = kept.read_response();
  CHECK(last.body == "here");
  CHECK(last.header("connection") == "close");
  CHECK(kept.expect_close(kPatience));
  CHECK(dropped.expect_close(kPatience));
  CHECK_FALSE(dropped.was_reset());
}

TEST_CASE("seawall -s reload waits for the new worker, and says why there is none") {
  Server s(answering("", "location / { return 200 old; }"));
  const auto tell = [&](const std::string& what) {
    return run_server({"-s", what, "-p", s.folder() + "/", "-c", "nginx.conf", "-e", "stderr",
                       "-g", "pid " + s.folder() + "/nginx.pid;"}, s.folder());
  };
  const auto write = [&](const std::string& text) {
    s.file("nginx.conf", text);
  };
  const auto config = [&](const std::string& main, const std::string& body) {
    return main + "events {} http { server { listen 127.0.0.1:" + std::to_string(s.port()) + "; location / { return 200 " + body + "; } } }";
  };
  write(config("worker_rlimit_nofile 8;", "refused"));
  const Run refused = tell("reload");
  CHECK(refused.exit_code == 1);
  CHECK_THAT(refused.err, ContainsSubstring("Too many open files"));
  s.allow("exited on signal 9");
  s.allow("\\[emerg\\]");
  CHECK(get(s.url()).body == "old");
  write(config("", "new"));
  const Run done = tell("reload");
  CHECK(done.err == "");
  CHECK(done.exit_code == 0);
  CHECK(get(s.url()).body == "new");
}

TEST_CASE("when -s reload says done every new connection meets the new configuration, on any loop") {
  const auto config = [](const std::string& port, const std::string& body) {
    return "worker_processes 3;\nevents {}\nhttp { server { listen 127.0.0.1:" + port + "; location / { return 200 " + body + "; } } }";
  };
  Server s(config("%%PORT_0%%", "0"));
  for (int i = 1; i <= 10; ++i) {
    s.file("nginx.conf", config(std::to_string(s.port()), std::to_string(i)));
    const Run run = run_server({"-s", "reload", "-p", s.folder() + "/", "-c", "nginx.conf", "-e", "stderr", "-g",
                                "pid " + s.folder() + "/nginx.pid;"}, s.folder());
    REQUIRE(run.exit_code == 0);
    for (int n = 0; n < 5; ++n) REQUIRE(get(s.url()).body == std::to_string(i));
  }
}

TEST_CASE("a configuration whose worker dies within seconds is given up for the one before") {
  const std::string before = "server { listen 127.0.0.1:%%PORT_0%%; listen 127.0.0.9:%%PORT_0%%; location / { return 200 before; } }";
  Server s(with_probe(before));
  s.allow("worker process");
  REQUIRE(s.reload(with_probe("server { listen 127.0.0.1:%%PORT_0%%; location / { return 200 after; } location /crash { probe_crash on; } }")));
  REQUIRE(wait_until([&] { return !connects(s.port(), "127.0.0.9"); }));
  CHECK(get(s.url()).body == "after");
  RawClient c(s.port());
  c.send("GET /crash HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(c.expect_close(kPatience));
  REQUIRE(s.wait_for_log("\\[emerg\\] .*the worker process of the new configuration has died within 5 s, the configuration before it is taken back"));
  CHECK(get(s.url()).body == "before");
  CHECK(get("http://127.0.0.9:" + std::to_string(s.port()) + "/").body == "before");
  const pid_t worker = serving_process(s);
  REQUIRE(::kill(worker, SIGKILL) == 0);
  REQUIRE(s.wait_for_log("worker process " + std::to_string(worker) + " exited on signal 9"));
  CHECK(get(s.url()).body == "before");
}

TEST_CASE("tunnels of an old worker end by tunnel_shutdown_timeout, other work does not") {
  const Echo echo;
  const std::string http = "http { root %%DIR%%; server { listen 127.0.0.1:%%PORT_0%%; location /tunnel { proxy_pass " + echo.url() +
                           "; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; } } }";
  Server s("tunnel_shutdown_timeout 100ms;\nevents {}\n" + http, {{"file", "here"}});
  RawClient tunnel(s.port()), begun(s.port());
  tunnel.send("GET /tunnel HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
  REQUIRE(tunnel.read_until("\r\n\r\n").starts_with("HTTP/1.1 101"));
  begun.send("GET /file HTTP/1.1\r\nHost: a\r\n");
  REQUIRE(get(s.url("/file")).body == "here");
  REQUIRE(s.reload());
  CHECK(tunnel.expect_close(kPatience));
  CHECK(s.wait_for_log("1 tunnels end by tunnel_shutdown_timeout"));
  begun.send("\r\n");
  CHECK(begun.read_response().body == "here");
}

TEST_CASE("what an old worker still serves ends by worker_shutdown_timeout") {
  Server s(with_probe("server { listen 127.0.0.1:%%PORT_0%%; location / { return 200 here; } location /wait { probe_wait 600s; } }",
                      "worker_shutdown_timeout 100ms;"));
  RawClient waiting(s.port());
  waiting.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  RawClient idle(s.port());
  idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(idle.read_response().body == "here");  // both have been accepted
  REQUIRE(s.reload());
  CHECK(waiting.expect_close(kPatience));
  CHECK(s.wait_for_log("worker process [0-9]+ exited with code 0"));
}

TEST_CASE("a reload changes the name of the pid file, by which -s finds the server") {
  const auto named = [](const std::string& name, const std::string& body) {
    return "pid %%DIR%%/" + name + ";\nevents {}\nhttp { server { listen 127.0.0.1:%%PORT_0%%; location / { return 200 " + body + "; } } }";
  };
  Server s(named("nginx.pid", "one"));
  const std::string pid = s.read("nginx.pid");
  REQUIRE(s.reload(named("other.pid", "two")));
  CHECK(s.read("other.pid") == pid);
  CHECK_FALSE(std::filesystem::exists(s.folder() + "/nginx.pid"));
  const auto tell = [&] { return run_server({"-s", "reload", "-p", s.folder() + "/", "-c", "nginx.conf", "-e", "stderr"}, s.folder()); };
  CHECK(tell().exit_code == 0);
  CHECK(get(s.url()).body == "two");
  REQUIRE(s.reload(named("no/folder/a.pid", "three")));
  s.allow("the pid file keeps its name");
  CHECK(s.read("other.pid") == pid);
  s.stop();
  CHECK_FALSE(std::filesystem::exists(s.folder() + "/other.pid"));
}

TEST_CASE("old generations are bounded: the oldest ends when there are too many, and the log says so") {
  Server s(with_probe("server { listen 127.0.0.1:%%PORT_0%%; location / { return 200 $pid; } location /wait { probe_wait 600s; } }"));
  // The generation before may still take connections for a moment.
  const auto connect_to_newest = [&] {
    const std::string newest = std::to_string(serving_process(s));
    for (;;) {
      RawClient c(s.port());
      c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      if (c.read_response().body == newest) return c;
    }
  };
  std::deque<RawClient> waiting;
  for (int i = 0; i < 17; ++i) {
    waiting.push_back(connect_to_newest());
    waiting.back().send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    REQUIRE(s.reload());
  }
  CHECK(waiting.front().expect_close(kPatience));
  CHECK(s.wait_for_log("still has connections after 16 reloads and is ended"));
  CHECK(get(s.url()).status == 200);
}
