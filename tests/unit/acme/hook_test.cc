// The hook of dns-01: how long it may take, what it is told, and what becomes of what it says.
#include "hook.h"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "catch.h"
#include "seawall/base/fd.h"

using namespace seawall::acme;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

class Hook {
 public:
  explicit Hook(const std::string& script) {
    char name[] = "/tmp/acme-XXXXXX";
    folder = ::mkdtemp(name);
    program = folder + "/hook";
    std::ofstream(program) << "#!/bin/sh\n" << script << "\n";
    ::chmod(program.c_str(), 0755);
  }
  ~Hook() { std::filesystem::remove_all(folder); }
  std::string read(const std::string& name) const {
    std::ifstream file(folder + "/" + name);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }
  void run(Stop& stop, const std::string& value = "value", std::chrono::milliseconds grace = {}) const {
    run_hook(program, "add", "_acme-challenge.a.test", value, stop, grace);
  }
  std::string folder, program;
};

bool lives(pid_t pid) { return ::kill(pid, 0) == 0; }

}  // namespace

TEST_CASE("a hook gets its words as they are, without a shell, and an ordinary process's signals") {
  const Hook hook("printf '%s|' \"$@\" > \"${0%/*}/words\"; grep -E '^Sig(Ign|Blk)' /proc/self/status > \"${0%/*}/signals\"");
  Stop stop;
  const auto before = ::signal(SIGPIPE, SIG_IGN);  // as in a worker
  hook.run(stop, "$(id) `id` ; * \"'");
  ::signal(SIGPIPE, before);
  CHECK(hook.read("words") == "add|_acme-challenge.a.test|$(id) `id` ; * \"'|");
  CHECK_THAT(hook.read("signals"), !ContainsSubstring("1000\n"));
}

TEST_CASE("what a hook has said last is in the error, from either stream and within limits") {
  Stop stop;
  CHECK_THROWS_WITH(Hook("echo first; echo no such zone; exit 3").run(stop), ContainsSubstring("hook add\" has failed: no such zone"));
  CHECK_THROWS_WITH(Hook("echo no such zone >&2; exit 3").run(stop), ContainsSubstring("has failed: no such zone"));
  CHECK_THROWS_WITH(Hook("printf 'a\\033[2J'; exit 3").run(stop), ContainsSubstring("has failed: a?[2J"));
  try {
    Hook("head -c 100000 /dev/zero | tr '\\0' x; exit 1").run(stop);
    FAIL("it has failed");
  } catch (const AcmeError& error) {
    CHECK(std::string(error.what()).size() < 1100);
  }
  CHECK_THROWS_WITH(run_hook("/no/such/program", "add", "a", "b", stop), ContainsSubstring("failed (2: No such file or directory)"));
}

TEST_CASE("a hook that leaves a child behind is not waited for longer than itself") {
  const Hook hook("sleep 1000 & echo $! > \"${0%/*}/pid\"");
  Stop stop;
  hook.run(stop);
  const pid_t left = std::stoi(hook.read("pid"));
  CHECK(lives(left));
  ::kill(left, SIGKILL);
}

TEST_CASE("a hook is killed with its children when the server ends, even one that says nothing any more") {
  const Hook hook("exec >&- 2>&-; sleep 1000 & echo $! > \"${0%/*}/fifo\"; wait");
  const std::string fifo = hook.folder + "/fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  Stop stop;
  seawall::Fd child;
  std::thread ends([&] {
    pid_t pid = 0;
    std::ifstream(fifo) >> pid;
    child = seawall::Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    stop.set();
  });
  CHECK_THROWS_AS(hook.run(stop), Stopped);
  ends.join();
  pollfd wait{child.get(), POLLIN, 0};
  CHECK(::poll(&wait, 1, 10'000) == 1);
}

TEST_CASE("a hook that removes a record may do so when the server ends, for a while") {
  Stop stop;
  stop.set();
  const Hook quick("echo done > \"${0%/*}/done\"");
  quick.run(stop, "value", 10s);
  CHECK(quick.read("done") == "done\n");
  CHECK_THROWS_AS(Hook("sleep 1000").run(stop, "value", 50ms), Stopped);
}
