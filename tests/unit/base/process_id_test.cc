#include "seawall/base/process_id.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catch.h"

using namespace seawall;

TEST_CASE("a process is alive until it ends, and nobody else has its id") {
  const ProcessId self = ProcessId::current();
  CHECK(self.alive());
  CHECK(self.started > 0);
  ProcessId other = self;
  ++other.started;
  CHECK_FALSE(other.alive());
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    const ProcessId id = ProcessId::current();
    if (::write(ends[1], &id, sizeof id) != sizeof id) ::_exit(1);
    for (;;) ::pause();
  }
  ProcessId child;
  REQUIRE(::read(ends[0], &child, sizeof child) == sizeof child);
  CHECK(child.pid == pid);
  CHECK(child.alive());
  REQUIRE(::kill(pid, SIGKILL) == 0);
  siginfo_t info;
  REQUIRE(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) == 0);
  CHECK_FALSE(child.alive());  // though nobody has heard of its end yet
  REQUIRE(::waitpid(pid, nullptr, 0) == pid);
  CHECK_FALSE(child.alive());
  ::close(ends[0]);
  ::close(ends[1]);
}
