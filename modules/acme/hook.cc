#include "hook.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include "seawall/base/error.h"
#include "seawall/base/fd.h"

extern char** environ;

namespace seawall::acme {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::minutes kPatience{2};
constexpr int kLook = 200;  // ms, between two looks whether it is to stop
constexpr std::size_t kLongestWords = 4096;

// The program as a child: killed, and always reaped, when this goes.
class Child {
 public:
  Child(char* const* arguments, int error_fd) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, error_fd, 2);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);  // this thread's is the server's
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    const int error = ::posix_spawn(&pid_, arguments[0], &actions, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error != 0)
      throw AcmeError(std::string("posix_spawn() \"") + arguments[0] + "\" failed " + describe(system_error_code(error)));
  }
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    wait();
  }
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_ = -1;
};

std::string last_line(std::string words) {
  while (!words.empty() && (words.back() == '\n' || words.back() == '\r')) words.pop_back();
  const auto end = words.rfind('\n');
  return end == std::string::npos ? words : words.substr(end + 1);
}

// All that it says until it closes its end; what is too long is read and forgotten.
std::string listen(const Fd& from, const std::string& program, Stop& stop) {
  std::string words;
  const auto until = steady_clock::now() + kPatience;
  for (;;) {
    if (stop.is_set()) throw Stopped();
    if (steady_clock::now() > until) throw AcmeError("the hook \"" + program + "\" has not ended within two minutes");
    pollfd wait{from.get(), POLLIN, 0};
    if (::poll(&wait, 1, kLook) <= 0) continue;
    char part[1024];
    const ssize_t n = ::read(from.get(), part, sizeof part);
    if (n <= 0) return words;
    words.append(part, static_cast<std::size_t>(n));
    if (words.size() > kLongestWords) words.erase(0, words.size() - kLongestWords);
  }
}

}  // namespace

void run_hook(const std::string& program, const std::string& action, const std::string& record, const std::string& value,
              Stop& stop) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw AcmeError("pipe2() failed " + describe(system_error_code(errno)));
  const Fd from(ends[0]);
  Fd to(ends[1]);
  std::string words[] = {program, action, record, value};
  char* arguments[] = {words[0].data(), words[1].data(), words[2].data(), words[3].data(), nullptr};
  Child child(arguments, to.get());
  to.reset();
  const std::string said = last_line(listen(from, program, stop));
  const int status = child.wait();
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  throw AcmeError("the hook \"" + program + " " + action + "\" has failed" + (said.empty() ? "" : ": " + said));
}

}  // namespace seawall::acme
