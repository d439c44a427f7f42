#include "hook.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "seawall/base/error.h"
#include "seawall/base/fd.h"
#include "seawall/log/log.h"

extern char** environ;

namespace seawall::acme {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::minutes kPatience{2};
constexpr int kLook = 200;  // ms, between two looks whether it is to stop
constexpr std::size_t kLongestWords = 4096;

// The program as a child, in a process group of its own: killed with all that is in it, and always reaped, when this goes. It is
// executed as it is named, without a shell, and nothing of the server's but the environment goes to it.
class Child {
 public:
  Child(char* const* arguments, int output) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_adddup2(&actions, output, 2);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);  // this thread's is the server's
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    const int error = ::posix_spawn(&pid_, arguments[0], &actions, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error != 0)
      throw AcmeError(std::string("posix_spawn() \"") + arguments[0] + "\" failed " + describe(system_error_code(error)));
    process_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    if (process_) return;
    const int why = errno;  // no descriptor is left
    end();
    throw AcmeError("pidfd_open() failed " + describe(system_error_code(why)));
  }
  ~Child() {
    if (pid_ > 0) end();
  }
  // Readable once it has ended.
  int process() const { return process_.get(); }
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

 private:
  void end() {
    ::kill(-pid_, SIGKILL);
    wait();
  }
  pid_t pid_ = -1;
  Fd process_;
};

std::string last_line(std::string words) {
  while (!words.empty() && (words.back() == '\n' || words.back() == '\r')) words.pop_back();
  const auto end = words.rfind('\n');
  return end == std::string::npos ? words : words.substr(end + 1);
}

// What lies in the pipe; what is too long is read and forgotten. False: nobody writes there any more.
bool take_words(const Fd& from, std::string& words) {
  char part[1024];
  const ssize_t n = ::read(from.get(), part, sizeof part);
  if (n <= 0) return n < 0 && (errno == EAGAIN || errno == EINTR);
  words.append(part, static_cast<std::size_t>(n));
  if (words.size() > kLongestWords) words.erase(0, words.size() - kLongestWords);
  return true;
}

// All that it says until it ends: a child of its own may keep the pipe open for longer, or it may close it and go on.
std::string listen(const Child& child, const Fd& from, const std::string& program, Stop& stop, std::chrono::milliseconds grace) {
  std::string words;
  bool stopped = false;
  auto until = steady_clock::now() + kPatience;
  pollfd waits[] = {{child.process(), POLLIN, 0}, {from.get(), POLLIN, 0}};
  for (;;) {
    if (stop.is_set() && !std::exchange(stopped, true)) until = std::min(until, steady_clock::now() + grace);
    if (steady_clock::now() >= until) {
      if (stopped) throw Stopped();
      throw AcmeError("the hook \"" + program + "\" has not ended within two minutes");
    }
    if (::poll(waits, 2, kLook) <= 0) continue;
    if (waits[1].revents && !take_words(from, words)) waits[1].fd = -1;
    if (waits[0].revents && !(waits[1].revents & POLLIN)) return words;
  }
}

}  // namespace

void run_hook(const std::string& program, const std::string& action, const std::string& record, const std::string& value,
              Stop& stop, std::chrono::milliseconds grace) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw AcmeError("pipe2() failed " + describe(system_error_code(errno)));
  const Fd from(ends[0]);
  Fd to(ends[1]);
  ::fcntl(from.get(), F_SETFL, O_NONBLOCK);
  std::string words[] = {program, action, record, value};
  char* arguments[] = {words[0].data(), words[1].data(), words[2].data(), words[3].data(), nullptr};
  Child child(arguments, to.get());
  to.reset();
  const std::string said = last_line(listen(child, from, program, stop, grace));
  const int status = child.wait();
  const bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (!well) throw AcmeError("the hook \"" + program + " " + action + "\" has failed" + (said.empty() ? "" : ": " + said));
  if (!said.empty()) log(Level::info, "acme: the hook \"" + program + " " + action + "\" said: " + visible(said));
}

}  // namespace seawall::acme
