#include "seawall/process/upgrade.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "seawall/log/log.h"
#include "seawall/process/environment.h"
#include "seawall/process/inherited.h"

namespace seawall {

Upgrade::Upgrade() {
  std::error_code unknown;
  program_ = std::filesystem::read_symlink("/proc/self/exe", unknown).string();
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string words{std::istreambuf_iterator<char>(file), {}};
  for (std::size_t at = 0; at < words.size(); at = words.find('\0', at) + 1) arguments_.emplace_back(words.c_str() + at);
}

bool Upgrade::start(const Listening& listening, const std::vector<std::string>& env) {
  std::vector<char*> argv;
  for (std::string& word : arguments_) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid != 0) {
    pid_ = std::max(pid, 0);
    return pid > 0;
  }
  restrict_environment(env, kept_for_new_binary());
  ::setenv("NGINX", hand_on(listening).c_str(), 1);
  ::setenv("SEAWALL_ZONES", hand_on_zones().c_str(), 1);
  if (std::getenv("WATCHDOG_PID")) ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execv(program_.c_str(), argv.data());
  log(Level::alert, "execve() failed while executing \"" + program_ + "\" (" + std::strerror(errno) + ")");
  ::_exit(2);
}

}  // namespace seawall
