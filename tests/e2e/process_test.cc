// The process around the server: background, pid file, signals, -s, crashes, addresses that are taken.
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <deque>
#include <filesystem>
#include <thread>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/probe.h"
#include "e2e/server.h"
#include "e2e/times_in.h"
#include "e2e/timing.h"

using namespace std::chrono_literals;
using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

const char* const kAnswer = "server { listen 127.0.0.1:%%PORT_0%%; location / { return 200 here; } }";

// Whether the process ends within the tests' patience; for processes that are not our children.
bool wait_gone(pid_t pid) {
  const seawall::Fd process(int(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process) return true;
  pollfd wait{process.get(), POLLIN, 0};
  return ::poll(&wait, 1, left_until(Clock::now() + kPatience)) == 1;
}

pid_t to_pid(std::string_view text) {
  pid_t pid = 0;
  std::from_chars(text.data(), text.data() + text.size(), pid);
  return pid;
}

// The worker that the log named last; the line may come after the pid file.
pid_t worker_of(const Server& s) {
  REQUIRE(s.wait_for_log("start worker process [0-9]+"));
  const std::string mark = "start worker process ", text = s.error_log();
  const auto at = text.rfind(mark);
  return at == text.npos ? 0 : to_pid(std::string_view(text).substr(at + mark.size()));
}

// Two loops, each with a socket of its own: the kernel spreads the clients over them.
class TwoLoops : public Server {
 public:
  TwoLoops() : Server("worker_processes 2;\nevents {}\nhttp { send_timeout 60s;\n"
                      "server { listen 127.0.0.1:%%PORT_0%% reuseport; root %%DIR%%;\n"
                      "location = / { return 200 here; } } }", {{"large", std::string(kLarge, 'l')}}) {}
  // A client that does not read: the server is in the midst of its answer.
  RawClient slow() const {
    RawClient c(port(), "127.0.0.1", 65'536);
    c.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    c.read_until("\r\n\r\n");
    return c;
  }
  static constexpr std::size_t kLarge = 8 << 20;  // more than the kernel takes in advance
};

// A server that the command line sends to the background.
class Daemon {
 public:
  explicit Daemon(const std::string& http, int port = free_port()) : port_(port) {
    auto text = http;
    const std::string mark = "%%PORT_0%%";
    text.replace(text.find(mark), mark.size(), std::to_string(port_));
    write_file(folder_ + "/nginx.conf",
               "pid nginx.pid;\nerror_log error.log info;\nevents {}\n" + user() + "http {\n" + text + "\n}\n");
  }
  ~Daemon() {
    if (pid() == 0) return;
    ::kill(pid(), SIGKILL);
    wait_gone(pid());
  }
  Run start() const { return run({}); }
  Run start_with_e(const std::string& log) const { return run_server({"-p", folder_, "-c", "nginx.conf", "-e", log}, folder_); }
  Run start_without_e() const { return run_server({"-p", folder_, "-c", "nginx.conf"}, folder_); }
  Run tell(const std::string& what) const { return run({"-s", what}); }
  pid_t pid() const { return to_pid(read_file(folder_ + "/nginx.pid")); }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }
  const std::string& folder() const { return folder_; }

 private:
  Run run(std::vector<std::string> more) const {
    std::vector<std::string> arguments{"-p", folder_, "-c", "nginx.conf", "-e", "error.log"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_server(arguments, folder_);
  }
  static std::string user() { return ::geteuid() == 0 ? "user root;\n" : ""; }
  std::string folder_ = make_folder();
  int port_;
};

}  // namespace

TEST_CASE("in the background the parent returns once the server answers and its pid is written") {
  Daemon d(kAnswer);
  const auto started = d.start();
  INFO(started.err);
  REQUIRE(started.exit_code == 0);
  const pid_t pid = d.pid();
  REQUIRE(pid > 0);
  REQUIRE(::getsid(pid) == pid);
  REQUIRE(get(d.url()).body == "here");
  REQUIRE(started.err.empty());
  REQUIRE(d.tell("quit").exit_code == 0);
  REQUIRE(wait_gone(pid));
  REQUIRE_FALSE(std::filesystem::exists(d.folder() + "/nginx.pid"));
}

TEST_CASE("in the background standard error is the first error log, so that nobody waits for its end") {
  Daemon d(kAnswer);
  std::filesystem::create_directory(d.folder() + "/logs");
  const auto started = d.start_without_e();
  INFO(started.err);
  REQUIRE(started.exit_code == 0);
  REQUIRE(std::filesystem::read_symlink("/proc/" + std::to_string(d.pid()) + "/fd/2") == d.folder() + "/logs/error.log");
}

TEST_CASE("in the background standard error is nobody's where -e names it") {
  Daemon d(kAnswer);
  const auto started = d.start_with_e("stderr");
  INFO(started.err);
  REQUIRE(started.exit_code == 0);
  CHECK(std::filesystem::read_symlink("/proc/" + std::to_string(d.pid()) + "/fd/2") == "/dev/null");
}

TEST_CASE("a configuration that is wrong keeps the server from going to the background") {
  Daemon d("server { listen 127.0.0.1:%%PORT_0%%; lissten 1; }");
  const auto started = d.start();
  REQUIRE(started.exit_code == 1);
  REQUIRE_THAT(started.err, ContainsSubstring("nginx: [emerg] unknown directive \"lissten\""));
  REQUIRE_FALSE(std::filesystem::exists(d.folder() + "/nginx.pid"));
}

TEST_CASE("an address that stays taken is tried five times, then the start fails") {
  const int port = free_port();
  const auto taken = listen_on(port);
  Daemon d(kAnswer, port);
  const auto started = d.start();
  REQUIRE(started.exit_code == 1);
  const auto line = "nginx: [emerg] bind() to 127.0.0.1:" + std::to_string(port) + " failed (98: Address already in use)\n";
  REQUIRE(times_in(started.err, line) == 5);
  REQUIRE_THAT(started.err, ContainsSubstring("nginx: [emerg] still could not bind()\n"));
  REQUIRE_FALSE(std::filesystem::exists(d.folder() + "/nginx.pid"));
}

TEST_CASE("an address that becomes free while it is tried is taken") {
  const int port = free_port();
  auto taken = listen_on(port);
  Daemon d(kAnswer, port);
  std::thread other([&] {
    const auto tried = [&] { return times_in(read_file(d.folder() + "/error.log"), "try again to bind() after 500ms") > 0; };
    wait_for_change(d.folder(), tried, Clock::now() + kPatience);
    taken.reset();
  });
  const auto started = d.start();
  other.join();
  REQUIRE(started.exit_code == 0);
  REQUIRE(get(d.url()).body == "here");
}

TEST_CASE("an address that is not ours is refused at once") {
  Daemon d("server { listen 203.0.113.1:%%PORT_0%%; }");
  const auto started = d.start();
  REQUIRE(started.exit_code == 1);
  REQUIRE(times_in(started.err, "bind() to 203.0.113.1:") == 1);
  REQUIRE_THAT(started.err, ContainsSubstring("failed (99: Cannot assign requested address)"));
}

TEST_CASE("a pid file that cannot be written keeps the server from starting") {
  const auto folder = make_folder();
  write_file(folder + "/nginx.conf", "pid missing/nginx.pid;\nerror_log error.log;\nevents {}\n");
  const auto run = run_server({"-p", folder, "-c", "nginx.conf", "-e", "error.log"}, folder);
  REQUIRE(run.exit_code == 1);
  REQUIRE_THAT(run.err, ContainsSubstring("nginx: [emerg] open() \"" + folder + "/missing/nginx.pid\" failed (2: No such file or directory)"));
}

TEST_CASE("without a supervisor one process does it all") {
  Server s(std::string("master_process off;\nevents {}\nhttp {\n") + kAnswer + "}");
  REQUIRE(get(s.url()).body == "here");
  REQUIRE(read_file("/proc/" + std::to_string(s.pid()) + "/task/" + std::to_string(s.pid()) + "/children").empty());
  s.stop();
  REQUIRE(s.read("nginx.pid").empty());
}

TEST_CASE("QUIT lets a request that has begun be finished and takes no new one") {
  Server s(kAnswer);
  RawClient begun(s.port());
  begun.send("GET / HTTP/1.1\r\nHost: a\r\n");
  REQUIRE(get(s.url()).status == 200);  // accepted after it: the first is being served, too
  s.signal(SIGQUIT);
  REQUIRE(s.wait_for_log("gracefully shutting down"));
  begun.send("\r\n");
  const auto answer = begun.read_response();
  REQUIRE(answer.body == "here");
  REQUIRE(answer.header("connection") == "close");
  REQUIRE(begun.expect_close(5s));
  s.stop();
}

TEST_CASE("a worker that does not end on TERM is killed") {
  Server s(kAnswer);
  s.allow("did not end on SIGTERM|exited on signal 9");
  REQUIRE(get(s.url()).body == "here");
  REQUIRE(::kill(worker_of(s), SIGSTOP) == 0);
  s.signal(SIGTERM);
  CHECK(s.wait_for_log("worker processes that did not end on SIGTERM are killed"));
}

TEST_CASE("QUIT and a reload let the requests of every loop be finished") {
  const bool reload = GENERATE(false, true);
  TwoLoops s;
  std::deque<RawClient> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(s.slow());
  if (reload) REQUIRE(s.reload());
  else s.signal(SIGQUIT);
  REQUIRE(s.wait_for_log("gracefully shutting down"));
  for (RawClient& c : clients) {
    const bool whole = c.read(TwoLoops::kLarge) == std::string(TwoLoops::kLarge, 'l');  // not for Catch to print
    REQUIRE(whole);
  }
  for (RawClient& c : clients) REQUIRE(c.expect_close(5s));
  if (reload) REQUIRE(get(s.url()).body == "here");
  s.stop();
}

TEST_CASE("TERM after QUIT ends the loop that is still busy, whichever it is") {
  for (int round = 0; round < 6; ++round) {  // each time another client, mostly on another loop
    TwoLoops s;
    RawClient busy = s.slow();
    std::deque<RawClient> idle;
    for (int i = 0; i < 8; ++i) {
      idle.emplace_back(s.port()).send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
      REQUIRE(idle.back().read_response().body == "here");
    }
    s.signal(SIGQUIT);
    for (RawClient& c : idle) REQUIRE(c.expect_close(5s));
    for (const int signal : {SIGQUIT, SIGTERM}) s.signal(signal);  // the other loop has ended meanwhile
    REQUIRE(wait_gone(s.pid()));
    s.stop();
  }
}

TEST_CASE("QUIT closes idle connections at once") {
  Server s(kAnswer);
  RawClient idle(s.port());
  idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(idle.read_response().header("connection") != "close");
  s.signal(SIGQUIT);
  REQUIRE(idle.expect_close(5s));
  REQUIRE_FALSE(idle.was_reset());
  s.stop();
}

TEST_CASE("TERM and INT end the server whatever its clients do") {
  const int signal = GENERATE(SIGTERM, SIGINT);
  Server s(kAnswer);
  RawClient begun(s.port());
  begun.send("GET / HTTP/1.1\r\nHost: a\r\n");
  REQUIRE(get(s.url()).status == 200);
  s.signal(signal);
  REQUIRE(begun.expect_close(5s));
  REQUIRE(wait_gone(s.pid()));
}

TEST_CASE("USR1 opens the logs anew") {
  Server s(kAnswer);
  std::filesystem::rename(s.folder() + "/error.log", s.folder() + "/error.log.1");
  s.signal(SIGUSR1);
  // Supervisor and worker say so in the old file, then open the new one.
  const auto told = [&] { return times_in(s.read("error.log.1"), "reopening logs") == 2; };
  REQUIRE(wait_for_change(s.folder(), told, Clock::now() + kPatience));
  s.stop();
  REQUIRE(times_in(s.error_log(), "gracefully shutting down") == 1);
  REQUIRE(times_in(s.read("error.log.1"), "gracefully shutting down") == 0);
}

TEST_CASE("a worker that is killed is replaced") {
  Server s(kAnswer);
  const pid_t worker = worker_of(s);
  REQUIRE(worker > 0);
  s.allow("exited on signal 9");
  ::kill(worker, SIGKILL);
  REQUIRE(s.wait_for_log("worker process " + std::to_string(worker) + " exited on signal 9"));
  REQUIRE(get(s.url()).body == "here");
  REQUIRE(worker_of(s) != worker);
}

TEST_CASE("a worker that breaks a rule of its own says which request it was at") {
  Server s(with_probe("server { listen 127.0.0.1:%%PORT_0%%; location / { return 200 here; } location /crash { probe_crash on; } }"));
  s.allow("worker process [0-9]+");
  REQUIRE(get(s.url()).body == "here");
  RawClient c(s.port());
  c.send("GET /crash?a HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(c.expect_close(kPatience));
  CHECK(s.wait_for_log("check failed: .*probe.cc"));
  CHECK(s.wait_for_log("the request at work on this thread: \"GET /crash\\?a HTTP/1.1\""));
  CHECK(s.wait_for_log("exited on signal 6"));
#ifndef __SANITIZE_ADDRESS__
  CHECK(s.wait_for_log("\\[alert\\] .*worker process [0-9]+: .*probe\\.so\\(\\+0x[0-9a-f]+\\)"));  // a frame of the backtrace
#endif
  CHECK(get(s.url()).body == "here");
}

#ifndef __SANITIZE_ADDRESS__
TEST_CASE("a worker that has used up its stack says which request it was at") {
  Server s(with_probe("server { listen 127.0.0.1:%%PORT_0%%; location / { return 200 here; } location /deep { probe_overflow on; } }"));
  s.allow("worker process [0-9]+");
  RawClient c(s.port());
  c.send("GET /deep?a HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(c.expect_close(kPatience));
  CHECK(s.wait_for_log("crashes on signal 11"));
  CHECK(s.wait_for_log("the request at work on this thread: \"GET /deep\\?a HTTP/1.1\""));
  CHECK(s.wait_for_log("exited on signal 11"));
  CHECK(get(s.url()).body == "here");
}
#endif

TEST_CASE("a worker that cannot be started again for a while is started when it can") {
  Server s("events {}\nhttp { server { listen 127.0.0.1:%%PORT_0%%; location / { return 200 here; } } }");
  s.allow("pipe2\\(\\) or socketpair\\(\\) failed|Too many open files|exited on signal 9");
  const pid_t worker = serving_process(s);
  rlimit before{};
  REQUIRE(::prlimit(s.pid(), RLIMIT_NOFILE, nullptr, &before) == 0);
  rlimit tight = before;
  tight.rlim_cur = 3;  // what is open stays so, and nothing more can be, whatever the moment
  REQUIRE(::prlimit(s.pid(), RLIMIT_NOFILE, &tight, nullptr) == 0);
  ::kill(worker, SIGKILL);
  REQUIRE(s.wait_for_log("pipe2\\(\\) or socketpair\\(\\) failed"));
  REQUIRE(::prlimit(s.pid(), RLIMIT_NOFILE, &before, nullptr) == 0);
  CHECK(wait_until([&] { return get(s.url()).body == "here"; }));
}

TEST_CASE("who starts the server may have ignored SIGCHLD") {
  const auto before = ::signal(SIGCHLD, SIG_IGN);
  Server s(kAnswer);
  ::signal(SIGCHLD, before);
  s.allow("exited on signal 9");
  ::kill(worker_of(s), SIGKILL);
  REQUIRE(s.wait_for_log("exited on signal 9"));
  CHECK(get(s.url()).body == "here");
}

TEST_CASE("seawall -s tells the running server") {
  Daemon d(kAnswer);
  REQUIRE(d.start().exit_code == 0);
  const pid_t pid = d.pid();
  const auto logs = [&](const char* text, int times) {
    const auto said = [&] { return times_in(read_file(d.folder() + "/error.log"), text) >= times; };
    return wait_for_change(d.folder(), said, Clock::now() + kPatience);
  };
  REQUIRE(d.tell("reload").exit_code == 0);
  REQUIRE(logs("reconfiguring", 1));
  REQUIRE(logs("start worker process", 2));
  REQUIRE(logs("gracefully shutting down", 1));
  std::filesystem::rename(d.folder() + "/error.log", d.folder() + "/error.log.1");
  REQUIRE(d.tell("reopen").exit_code == 0);
  const auto heard = [&] { return times_in(read_file(d.folder() + "/error.log.1"), "reopening logs") >= 1; };
  REQUIRE(wait_for_change(d.folder(), heard, Clock::now() + kPatience));
  REQUIRE(d.tell("reload").exit_code == 0);  // the client makes the new file; a line in it is the server's
  REQUIRE(logs("reconfiguring", 1));
  REQUIRE(d.pid() == pid);
  REQUIRE(get(d.url()).body == "here");
  REQUIRE(d.tell("stop").exit_code == 0);
  REQUIRE(wait_gone(pid));
}

TEST_CASE("seawall -s says why it reaches nobody") {
  const auto folder = make_folder();
  write_file(folder + "/nginx.conf", "pid nginx.pid;\nerror_log error.log;\nevents {}\n");
  const auto tell = [&](const std::string& what) {
    return run_server({"-p", folder, "-c", "nginx.conf", "-e", "stderr", "-s", what}, folder);
  };
  const auto none = tell("quit");
  REQUIRE(none.exit_code == 1);
  REQUIRE_THAT(none.err, ContainsSubstring("nginx: [error] open() \"" + folder + "/nginx.pid\" failed (2: No such file or directory)"));
  write_file(folder + "/nginx.pid", "12x\n");
  const auto garbage = tell("quit");
  REQUIRE(garbage.exit_code == 1);
  REQUIRE_THAT(garbage.err, ContainsSubstring("nginx: [error] invalid PID number \"12x\" in \"" + folder + "/nginx.pid\""));
  write_file(folder + "/nginx.pid", "4194304\n");  // no pid is that high
  const auto gone = tell("quit");
  REQUIRE(gone.exit_code == 1);
  REQUIRE_THAT(gone.err, ContainsSubstring("nginx: [alert] kill(4194304, 3) failed (3: No such process)"));
  const auto unknown = tell("restart");
  REQUIRE(unknown.exit_code == 1);
  REQUIRE_THAT(unknown.err, ContainsSubstring("nginx: invalid option: \"-s restart\""));
}

TEST_CASE("loops run on the processors that worker_cpu_affinity names") {
  const std::string http = "events {}\nhttp { server { listen 127.0.0.1:%%PORT_0%%; location / { return 200 here; } } }";
  const auto allowed = [](const Server& s) {  // of each thread
    std::vector<std::string> lists;
    for (const auto& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(worker_of(s)) + "/task")) {
      const std::string status = read_file(thread.path() / "status"), mark = "Cpus_allowed_list:\t";
      const auto at = status.find(mark) + mark.size();
      lists.push_back(status.substr(at, status.find('\n', at) - at));
    }
    return lists;
  };
  cpu_set_t mine;
  REQUIRE(::sched_getaffinity(0, sizeof mine, &mine) == 0);
  int first = 0;
  while (!CPU_ISSET(first, &mine)) ++first;
  Server one("worker_cpu_affinity 1" + std::string(static_cast<std::size_t>(first), '0') + ";\n" + http);
  REQUIRE(get(one.url()).body == "here");
  CHECK(allowed(one).front() == std::to_string(first));
  Server spread("worker_processes 2;\nworker_cpu_affinity auto;\n" + http);
  REQUIRE(get(spread.url()).body == "here");
  for (const std::string& list : allowed(spread)) CHECK(list.find_first_of(",-") == list.npos);
}

TEST_CASE("mistakes in worker_cpu_affinity have nginx's words") {
  const auto said = [](const std::string& main) { return check_config(main + "\nevents {}\nhttp {}\n").err; };
  CHECK_THAT(said("worker_cpu_affinity 0102;"), ContainsSubstring("invalid character \"2\" in \"worker_cpu_affinity\""));
  CHECK_THAT(said("worker_cpu_affinity auto 01 10;"), ContainsSubstring("invalid number of arguments in \"worker_cpu_affinity\" directive"));
  CHECK_THAT(said("worker_cpu_affinity " + std::string(1025, '1') + ";"), ContainsSubstring("supports up to 1024 CPUs only"));
  CHECK_THAT(said("worker_processes 3; worker_cpu_affinity 01 10;"), ContainsSubstring("using last mask for remaining worker processes"));
}

TEST_CASE("a worker has the limits that are written, no capability and no way to new ones") {
  Server s("worker_rlimit_core 64k;\nworker_rlimit_nofile 700;\nuser nobody nogroup;\nevents {}\nhttp { server { listen 127.0.0.1:%%PORT_0%%; return 204; } }");
  REQUIRE(get(s.url()).status == 204);
  const std::string process = "/proc/" + std::to_string(worker_of(s));
  const std::string limits = read_file(process + "/limits"), status = read_file(process + "/status");
  CHECK_THAT(limits, ContainsSubstring("Max core file size        65536                65536"));
  CHECK_THAT(limits, ContainsSubstring("Max open files            700                  700"));
  CHECK_THAT(status, ContainsSubstring("NoNewPrivs:\t1"));
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapAmb"})
    CHECK_THAT(status, ContainsSubstring(std::string(set) + ":\t0000000000000000"));
  if (::geteuid() == 0) CHECK_THAT(status, ContainsSubstring("CapBnd:\t0000000000000000"));
}

TEST_CASE("the caller's umask is not that of our files") {
  const mode_t before = ::umask(077);
  Server s("access_log %%DIR%%/access.log; server { listen 127.0.0.1:%%PORT_0%%; location / { return 200 here; } }");
  ::umask(before);
  using std::filesystem::perms;
  for (const char* file : {"/nginx.pid", "/access.log"}) {
    INFO(file);
    CHECK((std::filesystem::status(s.folder() + file).permissions() & perms::all) == perms(0644));
  }
}

TEST_CASE("working_directory is the worker's current directory") {
  const std::string folder = make_folder();
  Server s("working_directory " + folder + ";\nevents {}\nhttp { server { listen 127.0.0.1:%%PORT_0%%; return 204; } }");
  REQUIRE(get(s.url()).status == 204);  // a process that has just begun is still where its parent was
  CHECK(std::filesystem::read_symlink("/proc/" + std::to_string(serving_process(s)) + "/cwd") == folder);
  Server bad("working_directory " + folder + "/none;\nevents {}\nhttp { server { listen 127.0.0.1:%%PORT_0%%; return 204; } }");
  bad.allow("chdir\\(.*none.*failed");
  CHECK(bad.wait_for_log("chdir\\(.*none.*failed"));
}

TEST_CASE("10,000 virtual hosts are read in under 2 s, and the last one is found") {
  if (!kStrictTimes) {
    WARN("with sanitizers it takes too long: skipped");
    return;
  }
  std::string hosts;
  for (int i = 0; i < 10'000; ++i) {
    const std::string n = std::to_string(i);
    hosts += "server { listen 127.0.0.1:%%PORT_0%%; server_name host" + n + ".test *.wild" + n + ".test; location / { return 200 " + n + "; } }\n";
  }
  const auto busy = time_without_processor();
  const auto begin = Clock::now();
  Server s(hosts);
  CHECK(Clock::now() - begin < 2s + time_without_processor() - busy);
  CHECK(get(s.url(), {"Host: host9999.test"}).body == "9999");
  CHECK(get(s.url(), {"Host: a.wild5000.test"}).body == "5000");
}
