// Reloads under load: no request of a client fails that has kept to HTTP's rules.
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "catch.h"
#include "e2e/certificate.h"
#include "e2e/curl.h"
#include "e2e/load.h"
#include "e2e/probe.h"
#include "e2e/server.h"
#include "e2e/timing.h"

using namespace test;

namespace {

std::string config(int loops, bool reuseport, bool more) {
  const std::string tail = reuseport ? " reuseport;" : ";";
  return "worker_processes " + std::to_string(loops) + ";\nevents {}\nhttp { root %%DIR%%; ssl_certificate a.crt; ssl_certificate_key a.key;\n"
         "server { listen 127.0.0.1:%%PORT_0%%" + tail + " } server { listen 127.0.0.1:%%PORT_1%% ssl" + tail + " }\n" +
         (more ? "server { listen 127.0.0.9:%%PORT_0%%; }" : "") + "}";
}

// tests/soak/reload asks for more.
int rounds(int otherwise) {
  const char* wanted = std::getenv("SEAWALL_SOAK_ROUNDS");
  return wanted ? std::atoi(wanted) : otherwise;
}

pid_t pid_in(const std::string& path) { return std::atoi(read_file(path).c_str()); }

// From the end of a worker to the first answer of the next one.
Clock::duration outage(const Server& s) {
  const pid_t worker = serving_process(s);
  const auto killed = Clock::now();
  REQUIRE(::kill(worker, SIGKILL) == 0);
  REQUIRE(get(s.url()).body == "here");
  const auto lasted = Clock::now() - killed;
  REQUIRE(wait_until([&] { return serving_process(s) != worker; }));
  return lasted;
}

}  // namespace

TEST_CASE("reloads under load lose nothing, whatever happens to loops, sockets and addresses") {
  const auto made = make_certificate({"localhost"});
  Server s(config(2, true, true), {{"file", std::string(Load::kSize, 'f')}, {"a.crt", made.certificate}, {"a.key", made.key}});
  Load plain(s.port(0), 2, false), tls(s.port(1), 1, true);
  for (int i = 0; i < rounds(8); ++i) {
    INFO("reload " << i);
    const auto ended = "worker process " + std::to_string(serving_process(s)) + " exited with code 0";
    REQUIRE(s.reload(config(1 + i % 4, i % 3 != 0, i % 2 == 0)));
    // Before that an address that is given up and wanted again could still be taken.
    REQUIRE(s.wait_for_log(ended));
    REQUIRE(plain.failure() == "");
    REQUIRE(tls.failure() == "");
  }
  plain.stop();
  tls.stop();
  CHECK(plain.failure() == "");
  CHECK(tls.failure() == "");
  CHECK(plain.told() > 0);
  CHECK(tls.told() > 0);
}

TEST_CASE("new binaries under load lose nothing") {
  Server s("worker_processes 2;\nevents {}\nhttp { server { listen 127.0.0.1:%%PORT_0%% reuseport; root %%DIR%%; } }",
           {{"file", std::string(Load::kSize, 'f')}});
  const std::string pid_file = s.folder() + "/nginx.pid";
  Load load(s.port(), 2, false);
  for (int i = 0; i < rounds(3); ++i) {
    INFO("upgrade " << i);
    const pid_t old = pid_in(pid_file), old_worker = serving_process(s);
    REQUIRE(::kill(old, SIGUSR2) == 0);
    REQUIRE(wait_until([&] { return pid_in(pid_file + ".oldbin") == old && pid_in(pid_file) > 0 && serving_process(s) != old_worker; }));
    REQUIRE(::kill(old, SIGWINCH) == 0);
    const auto ended = "worker process " + std::to_string(old_worker) + " exited with code 0";
    REQUIRE(wait_until([&] { return s.error_log().find(ended) != std::string::npos; }));
    if (i == 0) s.stop();
    else REQUIRE(::kill(old, SIGQUIT) == 0);
    REQUIRE(wait_until([&] { return !std::filesystem::exists(pid_file + ".oldbin"); }));
    REQUIRE(load.failure() == "");
  }
  load.stop();
  CHECK(load.failure() == "");
  CHECK(load.told() > 0);
  REQUIRE(::kill(pid_in(pid_file), SIGTERM) == 0);
  CHECK(wait_until([&] { return !std::filesystem::exists(pid_file); }));
}

TEST_CASE("a worker whose supervisor is killed finishes its work and goes, without spinning") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; location / { return 200 here; } }");
  const pid_t worker = serving_process(s);
  RawClient begun(s.port());
  begun.send("GET / HTTP/1.1\r\nHost: a\r\n");
  REQUIRE(get(s.url()).body == "here");
  s.kill();
  REQUIRE(wait_until([&] { return s.error_log().find("gracefully shutting down") != std::string::npos; }));
  const auto turns = [&] { return read_file("/proc/" + std::to_string(worker) + "/stat"); };
  const auto ticks = [&] {  // of user and system time
    std::string rest = turns();
    rest.erase(0, rest.rfind(')') + 2);
    std::istringstream fields(rest);
    std::string skipped;
    for (int i = 0; i < 11; ++i) fields >> skipped;
    long user = 0, system = 0;
    fields >> user >> system;
    return user + system;
  };
  const long before = ticks();
  const auto since = Clock::now();
  REQUIRE(wait_until([&] { return Clock::now() - since > std::chrono::milliseconds(500); }));  // what a spinning one would use
  CHECK(ticks() - before < 15);
  begun.send("\r\n");
  CHECK(begun.read_response().body == "here");
  CHECK(wait_until([&] { return turns().empty(); }));
}

TEST_CASE("a worker that is killed is back in a moment, and connections that wait are served") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; location / { return 200 here; } }");
  s.allow("exited on signal 9");
  std::vector<Clock::duration> outages;
  for (int i = 0; i < rounds(3); ++i) {
    const auto born = Clock::now();
    REQUIRE(wait_until([&] { return Clock::now() - born > std::chrono::milliseconds(1200); }));  // one that dies young has to wait
    outages.push_back(outage(s));
  }
  std::sort(outages.begin(), outages.end());
  if (kStrictTimes) CHECK(outages[outages.size() / 2] < std::chrono::milliseconds(300));
}
