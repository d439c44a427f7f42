// The server as the first process of a container: what the kernel expects of process 1 of a namespace.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/server.h"
#include "e2e/timing.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

// Of a child that has ended: its exit code, 128 + signal where one killed it.
int code_of(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// `run` as a process of its own; it does not return.
pid_t spawn(const std::function<void()>& run) {
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid != 0) return pid;
  run();
  ::_exit(127);
}

class Container {
 public:
  explicit Container(const std::string& folder) : program_(server_binary()) {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const seawall::Fd from(ends[0]), to(ends[1]);
    outside_ = spawn([&] {
      if (::unshare(CLONE_NEWPID | CLONE_NEWNS) != 0) ::_exit(126);
      const pid_t first = ::fork();
      if (first == 0) begin(folder);
      if (::write(to.get(), &first, sizeof first) != sizeof first) ::_exit(126);
      ::_exit(code_of(first));
    });
    REQUIRE(::read(from.get(), &first_, sizeof first_) == sizeof first_);
  }
  ~Container() {
    if (outside_ <= 0) return;
    ::kill(first_, SIGKILL);
    code_of(outside_);
  }
  Container(const Container&) = delete;
  Container& operator=(const Container&) = delete;

  pid_t first() const { return first_; }
  int end(int signal_number) {
    REQUIRE(::kill(first_, signal_number) == 0);
    return code_of(std::exchange(outside_, -1));
  }
  // Another process in it; returns what it exits with.
  int run(const std::function<void()>& body) const {
    const seawall::Fd place(::open(("/proc/" + std::to_string(first_) + "/ns/pid").c_str(), O_RDONLY | O_CLOEXEC));
    REQUIRE(place);
    return code_of(spawn([&] {
      if (::setns(place.get(), CLONE_NEWPID) != 0) ::_exit(126);
      const pid_t inside = ::fork();
      if (inside == 0) {
        body();
        ::_exit(127);
      }
      ::_exit(code_of(inside));
    }));
  }
  // Its children's states ("S", "Z"), in the order of their numbers.
  std::string children() const {
    const std::string own = "/proc/" + std::to_string(first_);
    std::istringstream list(read_file(own + "/task/" + std::to_string(first_) + "/children"));
    std::string states, pid;
    while (list >> pid) {
      const std::string stat = read_file("/proc/" + pid + "/stat");
      if (const auto at = stat.rfind(") "); at != stat.npos) states += stat[at + 2] == 'Z' ? 'Z' : 'S';
    }
    return states;
  }
  const std::string& program() const { return program_; }

 private:
  void begin(const std::string& folder) const {
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 || ::mount("proc", "/proc", "proc", 0, nullptr) != 0) ::_exit(126);
    ::execl(program_.c_str(), program_.c_str(), "-p", folder.c_str(), "-c", "nginx.conf", "-e", "error.log", nullptr);
    ::_exit(127);
  }

  const std::string program_;
  pid_t outside_ = -1, first_ = -1;
};

bool may_make_namespaces() {
  const pid_t child = spawn([] { ::_exit(::unshare(CLONE_NEWPID | CLONE_NEWNS) == 0 ? 0 : 1); });
  return code_of(child) == 0;
}

}  // namespace

TEST_CASE("as process 1 of a container it serves, reloads, buries whose parents have gone, and ends with 0") {
  if (!may_make_namespaces()) {
    WARN("may not make namespaces: skipped");
    return;
  }
  const std::string folder = make_folder(), port = std::to_string(free_port()), url = "http://127.0.0.1:" + port + "/";
  const auto configure = [&](const std::string& text) {
    write_file(folder + "/nginx.conf", "daemon off; user root; pid nginx.pid; error_log error.log info; events {}\n"
                                       "http { server { listen 127.0.0.1:" + port + "; location / { return 200 " + text + "; } } }");
  };
  configure("one");
  Container box(folder);
  REQUIRE(wait_until([&] { return read_file(folder + "/nginx.pid") == "1\n"; }));
  CHECK(get(url).body == "one");

  configure("two");
  CHECK(box.run([&] {
    ::execl(box.program().c_str(), "seawall", "-p", folder.c_str(), "-c", "nginx.conf", "-e", "error.log", "-s", "reload", nullptr);
  }) == 0);
  CHECK(get(url).body == "two");
  REQUIRE(wait_until([&] { return box.children() == "S"; }));

  CHECK(box.run([] { ::_exit(::fork() == 0 ? 3 : 0); }) == 0);
  CHECK(wait_until([&] { return box.children() == "S"; }));
  CHECK(get(url).body == "two");
  CHECK(box.end(SIGTERM) == 0);
  const std::string log = read_file(folder + "/error.log");
  CHECK_THAT(log, !ContainsSubstring("[alert]") && !ContainsSubstring("[emerg]"));
  CHECK_FALSE(std::filesystem::exists(folder + "/nginx.pid"));
}
