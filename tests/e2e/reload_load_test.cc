// Reloads, new binaries and crashes under load: no request of a client fails that has kept to HTTP's rules. tests/soak/reload asks
// for more of everything.
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <sstream>

#include "catch.h"
#include "e2e/certificate.h"
#include "e2e/crowd.h"
#include "e2e/curl.h"
#include "e2e/load.h"
#include "e2e/probe.h"
#include "e2e/server.h"
#include "e2e/timing.h"

using namespace test;

namespace {

// How often, and how many at a time.
class Amount {
 public:
  explicit Amount(int otherwise) {
    const char* wanted = std::getenv("SEAWALL_SOAK_ROUNDS");
    rounds = wanted ? std::atoi(wanted) : otherwise;
    if (wanted) tunnels = 500, uploads = 200;
    const rlimit files{8192, 8192};  // where the system allows it
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  int rounds, tunnels = 40, uploads = 16;
};

// Every kind of client, on the ports 0 (plain) and 1 (TLS).
class Everybody {
 public:
  explicit Everybody(const Server& s) {
    loads_.emplace_back(s.port(0), 2, Load::Speaks::plain);
    loads_.emplace_back(s.port(1), 1, Load::Speaks::tls);
    loads_.emplace_back(s.port(0), 1, Load::Speaks::h2);
    loads_.emplace_back(s.port(1), 1, Load::Speaks::h2_tls);
  }
  void check() {
    for (Load& load : loads_) REQUIRE(load.failure() == "");
  }
  // Each has been told to go and has come again.
  void stop() {
    for (Load& load : loads_) load.stop();
    check();
    int answered = 0;
    for (Load& load : loads_) {
      CHECK(load.told() > 0);
      answered += load.answered();
    }
    WARN(answered << " requests were answered");
  }

 private:
  std::deque<Load> loads_;
};

class Made {
 public:
  Made() : certificate(make_certificate({"localhost"})) {}
  Certificate certificate;
  Echo echo;
  // What a configuration may have or not, and still serves the same.
  std::string config(int loops, bool reuseport, bool more) const {
    const std::string tail = reuseport ? " reuseport;" : ";";
    const std::string pass = " { proxy_pass " + echo.url() + "; proxy_http_version 1.1; ";
    return "worker_processes " + std::to_string(loops) + ";\nworker_rlimit_nofile 8192;\nevents { worker_connections 4096; }\n"
           "http { root %%DIR%%; ssl_certificate a.crt; ssl_certificate_key a.key; http2 on; send_timeout 1h; send_min_rate 0;\n"
           "handler_timeout 1h; client_body_timeout 1h; client_body_min_rate 0;\n"
           "server { listen 127.0.0.1:%%PORT_1%% ssl" + tail + " }\nserver { listen 127.0.0.1:%%PORT_0%%" + tail +
           " location /tunnel" + pass + "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; proxy_read_timeout 1h; }\n"
           "location /upload" + pass + "} }\n" + (more ? "server { listen 127.0.0.9:%%PORT_0%%; }" : "") + "}";
  }
  Files files() const {
    return {{"file", std::string(Load::kSize, 'f')}, {"long", std::string(Crowd::kLong, 'l')}, {"a.crt", certificate.certificate},
            {"a.key", certificate.key}};
  }
};

pid_t pid_in(const std::string& path) { return std::atoi(read_file(path).c_str()); }

std::vector<pid_t> workers_of(pid_t supervisor) {
  const std::string pid = std::to_string(supervisor);
  std::istringstream list(read_file("/proc/" + pid + "/task/" + pid + "/children"));
  std::vector<pid_t> workers;
  for (pid_t worker; list >> worker;) workers.push_back(worker);
  return workers;
}

// Memory of the supervisor and its workers, KiB; what they share is counted once. Without the pages of files: of those each has
// the more the fewer other servers run at the time.
long memory(pid_t supervisor) {
  std::vector<pid_t> all = workers_of(supervisor);
  all.push_back(supervisor);
  long sum = 0;
  for (pid_t pid : all) {
    const std::string text = read_file("/proc/" + std::to_string(pid) + "/smaps_rollup");
    for (const std::string kind : {"\nPss_Anon:", "\nPss_Shmem:"})
      if (const auto at = text.find(kind); at != text.npos) sum += std::atol(text.c_str() + at + kind.size());
  }
  return sum;
}

// One generation that has served everybody and is alone again.
long settled_memory(Server& s, const std::string& config) {
  REQUIRE(s.reload(config));
  REQUIRE(wait_until([&] { return workers_of(s.pid()).size() == 1; }));
  {
    Everybody all(s);
    for (int i = 0; i < 20; ++i) REQUIRE(get(s.url("/file")).status == 200);
  }
  return memory(s.pid());
}

// From the end of a worker to the first answer of the next one.
Clock::duration outage(const Server& s) {
  const pid_t worker = serving_process(s);
  const auto killed = Clock::now();
  REQUIRE(::kill(worker, SIGKILL) == 0);
  REQUIRE(get(s.url("/file")).status == 200);
  const auto lasted = Clock::now() - killed;
  REQUIRE(wait_until([&] { return serving_process(s) != worker; }));
  return lasted;
}

// USR2 to the supervisor of the pid file, until the new one serves; then the old one's workers are told to go. The old one's pid.
pid_t change_binary(const Server& s) {
  const std::string pid_file = s.folder() + "/nginx.pid";
  const pid_t old = pid_in(pid_file), old_worker = serving_process(s);
  REQUIRE(::kill(old, SIGUSR2) == 0);
  REQUIRE(wait_until([&] { return pid_in(pid_file + ".oldbin") == old && pid_in(pid_file) > 0 && serving_process(s) != old_worker; }));
  REQUIRE(::kill(old, SIGWINCH) == 0);
  return old;
}

}  // namespace

TEST_CASE("reloads under load lose nothing, whatever happens to loops, sockets and addresses") {
  const bool varies = GENERATE(false, true);
  const Amount amount(6);
  const Made made;
  const auto config = [&](int i) { return varies ? made.config(1 + i % 4, i % 3 != 0, i % 2 == 0) : made.config(2, true, true); };
  Server s(config(1), made.files());
  s.allow("bind\\(\\) to 127.0.0.9:[0-9]+ failed");  // wanted again before the old worker has given it up: tried again
  const long before = settled_memory(s, config(1));
  Crowd crowd(s.port(), amount.tunnels, amount.uploads, amount.rounds);
  Everybody all(s);
  for (int i = 0; i < amount.rounds; ++i) {
    INFO("reload " << i);
    REQUIRE(s.reload(config(i)));
    crowd.step();
    all.check();
  }
  CHECK(wait_until([&] { return workers_of(s.pid()).size() <= 2; }));  // the first has the crowd
  all.stop();
  crowd.finish();
  CHECK(wait_until([&] { return workers_of(s.pid()).size() == 1; }));
  const long after = settled_memory(s, config(1));
  WARN(amount.rounds << " reloads, memory " << before << " KiB, then " << after << " KiB");
  if (kStrictTimes) CHECK(double(after) <= 1.3 * double(before));
}

TEST_CASE("new binaries under load lose nothing") {
  const Amount amount(3);
  const Made made;
  Server s(made.config(2, true, false), made.files());
  const std::string pid_file = s.folder() + "/nginx.pid";
  Crowd crowd(s.port(), amount.tunnels, amount.uploads, amount.rounds);
  Everybody all(s);
  for (int i = 0; i < amount.rounds; ++i) {
    INFO("upgrade " << i);
    const pid_t old = change_binary(s);
    crowd.step();
    all.check();
    if (i == 0) continue;  // it has the crowd
    const pid_t next = pid_in(pid_file);
    REQUIRE(wait_until([&] { return workers_of(old) == std::vector{next}; }));
    REQUIRE(::kill(old, SIGQUIT) == 0);  // not before: it closes idle connections
    REQUIRE(wait_until([&] { return ::kill(old, 0) != 0; }));
  }
  all.stop();
  crowd.finish();
  s.stop();
  CHECK_FALSE(std::filesystem::exists(pid_file + ".oldbin"));
  CHECK(get(s.url("/file")).status == 200);
  const pid_t last = pid_in(pid_file);
  REQUIRE(::kill(last, SIGTERM) == 0);
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
  const Amount amount(3);
  Server s("server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%; }", {{"file", std::string(Load::kSize, 'f')}});
  s.allow("exited on signal 9");
  Load load(s.port(), 4, Load::Speaks::plain, Load::Minds::answers);
  std::vector<Clock::duration> outages;
  for (int i = 0; i < std::min(amount.rounds, 10); ++i) {
    const auto born = Clock::now();
    REQUIRE(wait_until([&] { return Clock::now() - born > std::chrono::milliseconds(1200); }));  // one that dies young has to wait
    outages.push_back(outage(s));
  }
  load.stop();
  CHECK(load.failure() == "");
  std::sort(outages.begin(), outages.end());
  const auto median = std::chrono::duration_cast<std::chrono::milliseconds>(outages[outages.size() / 2]);
  WARN("back after " << median.count() << " ms");
  if (kStrictTimes) CHECK(median < std::chrono::milliseconds(300));
}
