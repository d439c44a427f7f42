#include "seawall/process/send_signal.h"

#include <signal.h>

#include <cerrno>
#include <fstream>
#include <iostream>
#include <sstream>

#include "seawall/base/error.h"
#include "seawall/base/text.h"
#include "seawall/process/configuration.h"
#include "seawall/process/control.h"

namespace seawall {
namespace {

int complain(const char* level, const std::string& text) {
  std::cerr << "nginx: [" << level << "] " << text << "\n";
  return 1;
}

std::string reason() { return " failed " + describe(system_error_code(errno)); }

int tell(const std::string& pid_file, int signal) {
  std::ifstream file(pid_file);
  if (!file) return complain("error", "open() \"" + pid_file + "\"" + reason());
  std::ostringstream read;
  read << file.rdbuf();
  std::string text = read.str();
  text.erase(text.find_last_not_of("\r\n") + 1);
  // Never 0 (our own process group) and nothing that does not fit a pid.
  const auto pid = parse_decimal(text);
  if (!pid || *pid == 0 || *pid > INT32_MAX) return complain("error", "invalid PID number \"" + text + "\" in \"" + pid_file + "\"");
  if (::kill(static_cast<pid_t>(*pid), signal) == 0) return 0;
  return complain("alert", "kill(" + text + ", " + std::to_string(signal) + ")" + reason());
}

}  // namespace

int signal_of(std::string_view word) {
  if (word == "stop") return SIGTERM;
  if (word == "quit") return SIGQUIT;
  if (word == "reopen") return SIGUSR1;
  return word == "reload" ? SIGHUP : 0;
}

int send_signal(const Options& options) {
  try {
    const auto conf = Configuration::load(options, [](const std::string& text) { complain("warn", text); });
    if (options.signal != "reload") return tell(conf->pid_file(), signal_of(options.signal));
    const auto answer = ask_supervisor(conf->pid_file(), options.signal);
    if (!answer) return tell(conf->pid_file(), SIGHUP);
    return answer->empty() ? 0 : complain("emerg", *answer);
  } catch (const std::exception& error) {
    return complain("emerg", error.what());
  }
}

}  // namespace seawall
