// Sockets from outside, a new binary in the place of the running one, and what a service manager hears.
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/new_binary.h"
#include "e2e/server.h"
#include "e2e/timing.h"
#include "e2e/tls_ask.h"
#include "e2e/tls_bytes.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

// An environment variable for the processes that are started meanwhile.
class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name) { ::setenv(name, value.c_str(), 1); }
  ~Environment() { ::unsetenv(name_); }
  Environment(const Environment&) = delete;

 private:
  const char* name_;
};

// A service manager's socket.
class Manager {
 public:
  explicit Manager(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    path.copy(name.sun_path, sizeof name.sun_path - 1);
    REQUIRE(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
  }
  std::string next() const {
    timeval patience{30, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    char text[1024];
    const ssize_t n = ::recv(fd_.get(), text, sizeof text, 0);
    REQUIRE(n > 0);
    return std::string(text, static_cast<std::size_t>(n));
  }
  // Another message would find no room.
  static bool is_full(const std::string& path) {
    const seawall::Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    path.copy(name.sun_path, sizeof name.sun_path - 1);
    return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0 && ::send(fd.get(), "", 0, 0) < 0 && errno == EAGAIN;
  }

 private:
  seawall::Fd fd_;
};

// A server that is started with a listening socket, as a service manager does it.
class Activated {
 public:
  Activated(int port, const std::string& folder) {
    const seawall::Fd listening = listen_on(port);
    REQUIRE(listening);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      if (listening.get() != 3) ::dup2(listening.get(), 3);
      else ::fcntl(3, F_SETFD, 0);
      ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
      ::setenv("LISTEN_FDS", "1", 1);
      const std::string program = server_binary();
      ::execl(program.c_str(), program.c_str(), "-p", folder.c_str(), "-c", "nginx.conf", "-e", "error.log", nullptr);
      ::_exit(127);
    }
    REQUIRE(wait_until([&] { return pid_in(folder + "/nginx.pid") == pid_; }));
  }
  ~Activated() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  void quit() {
    ::kill(pid_, SIGQUIT);
    int status = 0;
    REQUIRE(::waitpid(pid_, &status, 0) == pid_);
    pid_ = 0;
    CHECK(status == 0);
  }

 private:
  pid_t pid_ = 0;
};

}  // namespace

TEST_CASE("a service manager hears when the server serves, reloads and stops") {
  const std::string folder = make_folder();
  const Manager manager(folder + "/notify");
  const Environment socket("NOTIFY_SOCKET", folder + "/notify");
  Server s("server { listen 127.0.0.1:%%PORT_0%%; return 204; }");
  CHECK(manager.next() == "READY=1\nMAINPID=" + std::to_string(s.pid()) + "\nSTATUS=serving");
  REQUIRE(s.reload());
  CHECK(manager.next().starts_with("RELOADING=1\nMONOTONIC_USEC="));
  CHECK(manager.next() == "READY=1\nSTATUS=serving");
  REQUIRE_FALSE(s.reload("server { lissten 1; }"));
  CHECK(manager.next().starts_with("RELOADING=1"));
  CHECK_THAT(manager.next(), ContainsSubstring("the last reload was refused: unknown directive \"lissten\""));
  s.stop();
  CHECK(manager.next() == "STOPPING=1");
}

TEST_CASE("a service manager hears that the server lives, and is not waited for when it does not read") {
  const std::string folder = make_folder();
  const Manager manager(folder + "/notify");
  const Environment socket("NOTIFY_SOCKET", folder + "/notify"), watchdog("WATCHDOG_USEC", "20000");
  Server s("server { listen 127.0.0.1:%%PORT_0%%; return 204; }");
  bool ready = false, alive = false;
  while (!ready || !alive) {
    const std::string said = manager.next();
    ready = ready || said.starts_with("READY=1");
    alive = alive || said == "WATCHDOG=1";
  }
  REQUIRE(wait_until([&] { return Manager::is_full(folder + "/notify"); }));
  REQUIRE(s.reload());
  CHECK(s.wait_for_log("the service manager could not be told: "));
  s.stop();
}

TEST_CASE("sockets that a service manager has opened are taken over") {
  const int port = free_port();
  const std::string folder = make_folder(), number = std::to_string(port);
  write_file(folder + "/nginx.conf", "daemon off; pid nginx.pid; error_log error.log info; events {}\n" +
                                         std::string(::geteuid() == 0 ? "user root;" : "") + "http { server { listen 127.0.0.1:" + number +
                                         "; location / { return 200 activated; } } }");
  Activated server(port, folder);
  CHECK(get("http://127.0.0.1:" + number + "/").body == "activated");
  CHECK_THAT(read_file(folder + "/error.log"), ContainsSubstring("using inherited socket 127.0.0.1:" + number));
  server.quit();
}

TEST_CASE("USR2 starts a new binary beside the old one, which ends on QUIT or takes over again") {
  const bool back = GENERATE(false, true);
  Server s("server { listen 127.0.0.1:%%PORT_0%%; listen unix:%%DIR%%/s.sock; location / { return 200 here; } }");
  const std::string pid_file = s.folder() + "/nginx.pid";
  const pid_t old = s.pid();
  const pid_t fresh = upgrade(s);
  NewBinary other(fresh);
  CHECK(get(s.url()).body == "here");
  s.signal(SIGWINCH);
  REQUIRE(s.wait_for_log("exited with code 0"));
  CHECK(get(s.url()).body == "here");
  if (back) {
    s.signal(SIGHUP);
    REQUIRE(s.wait_for_log("starting workers again"));
    other.tell(SIGQUIT);
    REQUIRE(wait_until([&] { return pid_in(pid_file) == old; }));
    CHECK_FALSE(std::filesystem::exists(pid_file + ".oldbin"));
    CHECK(get(s.url()).body == "here");
    CHECK(std::filesystem::exists(s.folder() + "/s.sock"));
    s.stop();
  } else {
    s.stop();
    CHECK(pid_in(pid_file) == fresh);
    CHECK_FALSE(std::filesystem::exists(pid_file + ".oldbin"));
    CHECK(get(s.url()).body == "here");
    other.tell(SIGTERM);
    CHECK(wait_until([&] { return !std::filesystem::exists(pid_file); }));
  }
  CHECK_FALSE(std::filesystem::exists(s.folder() + "/s.sock"));
}

TEST_CASE("a new binary goes on with the shared memory zones of the old one") {
  Server s("limit_req_zone $arg_key zone=one:1m rate=1r/m; server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%/html; limit_req zone=one; }",
           {{"html/a", "text"}});
  CHECK(get(s.url("/a?key=1")).status == 200);
  const std::string pid_file = s.folder() + "/nginx.pid";
  NewBinary other(upgrade(s));
  s.stop();
  CHECK(get(s.url("/a?key=1")).status == 503);
  CHECK(get(s.url("/a?key=2")).status == 200);
  other.tell(SIGTERM);
  CHECK(wait_until([&] { return !std::filesystem::exists(pid_file); }));
}

TEST_CASE("a new binary opens the tickets of the old one, and takes no early data twice") {
  Files files;
  add(files, "a", make_certificate({"localhost"}));
  Server s("log_format uri \"$uri $ssl_early_data\"; access_log %%DIR%%/access.log uri; server { listen 127.0.0.1:%%PORT_0%% ssl; "
           "ssl_certificate %%DIR%%/a.crt; ssl_certificate_key %%DIR%%/a.key; ssl_early_data on; location / { return 200 $ssl_session_reused; } }", files);
  RawClient first(s.port());
  first.start_tls();
  REQUIRE(ask(first, "localhost").body == ".");
  const auto kept = first.session();
  TlsBytes tls(kept.get(), "GET /early HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string flight = tls.handshake("");
  RawClient early(s.port());
  early.send(flight);
  REQUIRE(s.wait_for_log("/early 1", "access.log"));
  const std::string pid_file = s.folder() + "/nginx.pid";
  NewBinary other(upgrade(s));
  early.reset();
  first.reset();
  s.stop();
  RawClient replay(s.port());
  replay.send(flight);
  replay.read(100);  // the server's answer to the hello
  TlsOptions resuming;
  resuming.session = kept;
  CHECK(ask(s, resuming, "localhost").body == "r");
  const std::string log = s.read("access.log");
  CHECK(log.find("/early") == log.rfind("/early"));
  other.tell(SIGTERM);
  CHECK(wait_until([&] { return !std::filesystem::exists(pid_file); }));
}

TEST_CASE("a new binary resumes the sessions that the old one has kept by their ids") {
  Files files;
  add(files, "a", make_certificate({"localhost"}));
  Server s("server { listen 127.0.0.1:%%PORT_0%% ssl; ssl_certificate %%DIR%%/a.crt; ssl_certificate_key %%DIR%%/a.key; "
           "ssl_session_tickets off; ssl_session_cache shared:SSL:1m; location / { return 200 $ssl_session_reused; } }", files);
  TlsOptions options = only(to("localhost"), TLS1_2_VERSION);
  RawClient first(s.port());
  first.start_tls(options);
  REQUIRE(ask(first, "localhost").body == ".");
  options.session = first.session();
  const std::string pid_file = s.folder() + "/nginx.pid";
  NewBinary other(upgrade(s));
  first.reset();
  s.stop();
  CHECK(ask(s, options, "localhost").body == "r");
  other.tell(SIGTERM);
  CHECK(wait_until([&] { return !std::filesystem::exists(pid_file); }));
}

TEST_CASE("a server that has made room for a new binary serves again when that is gone, whatever it has tried meanwhile") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; location / { return 200 here; } }");
  s.allow("unknown directive|is gone|exited|could not be renamed");
  const std::string pid_file = s.folder() + "/nginx.pid";
  const pid_t old = s.pid();
  const pid_t fresh = upgrade(s);
  NewBinary other(fresh);
  s.signal(SIGWINCH);
  REQUIRE(s.wait_for_log("exited with code 0"));
  const std::string config = s.read("nginx.conf");
  s.file("nginx.conf", "nonsense;");
  REQUIRE(::kill(fresh, SIGUSR2) == 0);  // whose own new binary cannot start, so that it takes the name back from there
  REQUIRE(s.wait_for_log(std::to_string(fresh) + "#.*new binary process [0-9]+ exited"));
  REQUIRE(wait_until([&] { return pid_in(pid_file) == fresh; }));
  s.file("nginx.conf", config);
  other.tell(SIGKILL);
  REQUIRE(wait_until([&] { return pid_in(pid_file) == old; }));
  REQUIRE(s.wait_for_log("starting workers again"));
  CHECK(get(s.url()).body == "here");
  CHECK(s.reload());
}

TEST_CASE("a server whose successor's successor makes room for one more stays retired") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; location / { return 200 here; } }");
  const std::string pid_file = s.folder() + "/nginx.pid";
  const pid_t second = upgrade(s);
  NewBinary other(second);
  s.signal(SIGWINCH);
  REQUIRE(s.wait_for_log("exited with code 0"));
  REQUIRE(::kill(second, SIGUSR2) == 0);
  REQUIRE(wait_until([&] { return pid_in(pid_file) > 0 && pid_in(pid_file) != second; }));
  const pid_t third = pid_in(pid_file);
  NewBinary last(third);
  std::filesystem::rename(pid_file, pid_file + ".oldbin");  // the moment between the third's USR2 and the fourth's file
  other.tell(SIGQUIT);
  REQUIRE(s.wait_for_log("new binary process " + std::to_string(second) + " exited"));
  s.signal(SIGUSR1);
  REQUIRE(s.wait_for_log(std::to_string(s.pid()) + "#.*reopening logs"));
  CHECK_FALSE(std::filesystem::exists(pid_file));
  CHECK(s.error_log().find("starting workers again") == std::string::npos);
  std::filesystem::rename(pid_file + ".oldbin", pid_file);
  CHECK(get(s.url()).body == "here");
  s.stop();
  last.tell(SIGTERM);
  CHECK(wait_until([&] { return !std::filesystem::exists(pid_file); }));
}

TEST_CASE("env: workers and a new binary have what it names or sets, TZ, and nothing else") {
  const Environment kept("SEAWALL_KEPT", "kept"), dropped("SEAWALL_DROPPED", "dropped"), zone("TZ", "UTC0");
  Server s(with_probe("server { listen 127.0.0.1:%%PORT_0%%;" +
                          [] {
                            std::string locations;
                            for (const char* name : {"SEAWALL_KEPT", "SEAWALL_SET", "SEAWALL_DROPPED", "SEAWALL_NONE", "TZ"})
                              locations.append(" location /").append(name).append(" { probe_env ").append(name).append("; }");
                            return locations;
                          }() + " }",
                      "env SEAWALL_KEPT; env SEAWALL_SET=a=b; env SEAWALL_SET=twice; env SEAWALL_NONE;"));
  const auto check = [&] {
    CHECK(get(s.url("/SEAWALL_KEPT")).body == "kept");
    CHECK(get(s.url("/SEAWALL_SET")).body == "a=b");
    CHECK(get(s.url("/SEAWALL_DROPPED")).body == "unset");
    CHECK(get(s.url("/SEAWALL_NONE")).body == "unset");
    CHECK(get(s.url("/TZ")).body == "UTC0");
  };
  check();
  const std::string pid_file = s.folder() + "/nginx.pid";
  const pid_t fresh = upgrade(s);
  NewBinary other(fresh);
  std::string environment = read_file("/proc/" + std::to_string(fresh) + "/environ");
  std::replace(environment.begin(), environment.end(), '\0', '\n');
  CHECK_THAT("\n" + environment, ContainsSubstring("\nSEAWALL_KEPT=kept\n") && ContainsSubstring("\nSEAWALL_SET=a=b\n") &&
                                    ContainsSubstring("\nTZ=UTC0\n") && !ContainsSubstring("DROPPED") && !ContainsSubstring("PATH="));
  s.stop();
  check();
  other.tell(SIGTERM);
  CHECK(wait_until([&] { return !std::filesystem::exists(pid_file); }));
}

TEST_CASE("sockets that a service manager has opened get the options of our own ones (B31)") {
  const int port = free_port();
  const std::string folder = make_folder(), number = std::to_string(port);
  write_file(folder + "/nginx.conf", with_probe("server { listen 127.0.0.1:" + number + "; probe_socket on; }",
                                                "daemon off; pid nginx.pid; error_log error.log info; " +
                                                    std::string(::geteuid() == 0 ? "user root;" : "")));
  Activated server(port, folder);
  CHECK(get("http://127.0.0.1:" + number + "/").body ==
        "nodelay=1 keepalive=1 idle=30 interval=10 count=3 user_timeout=30000");
  server.quit();
}
