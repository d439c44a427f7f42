#include "seawall/process/supervisor.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>

#include "seawall/log/log.h"
#include "seawall/process/configuration.h"
#include "seawall/process/daemon.h"
#include "seawall/process/listening.h"
#include "seawall/process/signals.h"
#include "seawall/process/worker.h"

namespace seawall {
namespace {

using std::chrono::steady_clock;

// A worker that dies sooner than this after its start is started again only after a pause.
constexpr std::chrono::seconds kTooSoon{5};
constexpr std::chrono::seconds kPause{1};

class Supervisor {
 public:
  Supervisor(const Options& options, std::unique_ptr<Configuration> conf, std::unique_ptr<Listening> listening)
      : options_(options), conf_(std::move(conf)), listening_(std::move(listening)) {}

  int run() {
    start_worker();
    while (!done()) {
      const int signal = next_signal();
      if (signal == SIGCHLD) reap();
      else if (signal == SIGHUP) reload();
      else if (signal == SIGUSR1) reopen();
      else if (signal == SIGQUIT || signal == SIGTERM || signal == SIGINT) stop(signal == SIGQUIT ? SIGQUIT : SIGTERM);
      if (restart_due_ && steady_clock::now() >= *restart_due_) start_worker();
    }
    listening_->remove_paths();
    return 0;
  }

 private:
  bool done() const { return stopping_ && workers_.empty(); }

  // Waits for a signal, or for the time at which a worker is to be started again (0).
  int next_signal() const {
    sigset_t set;
    sigemptyset(&set);
    for (int signal : {SIGCHLD, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT, SIGTERM, SIGINT, SIGWINCH}) sigaddset(&set, signal);
    timespec time{60, 0};
    if (restart_due_) {
      const auto left = std::max(std::chrono::nanoseconds(0), std::chrono::nanoseconds(*restart_due_ - steady_clock::now()));
      time = {left.count() / 1'000'000'000, left.count() % 1'000'000'000};
    }
    return std::max(0, sigtimedwait(&set, nullptr, &time));
  }

  void start_worker() {
    restart_due_.reset();
    const pid_t pid = ::fork();
    if (pid < 0) {
      log(Level::alert, std::string("fork() failed (") + std::strerror(errno) + ")");
      restart_due_ = steady_clock::now() + kPause;
      return;
    }
    if (pid == 0) {
      const int code = run_worker(*conf_, *listening_, true);
      // No destructors: what the child inherited belongs to the supervisor.
      std::cout.flush();
      ::_exit(code);
    }
    log(Level::notice, "start worker process " + std::to_string(pid));
    current_ = pid;
    workers_[pid] = steady_clock::now();
  }

  void reap() {
    for (;;) {
      int status;
      const pid_t pid = ::waitpid(-1, &status, WNOHANG);
      if (pid <= 0) return;
      const auto worker = workers_.find(pid);
      if (worker == workers_.end()) continue;
      const bool soon = steady_clock::now() - worker->second < kTooSoon;
      workers_.erase(worker);
      report(pid, status);
      if (stopping_ || pid != current_) continue;
      if (WIFEXITED(status) && WEXITSTATUS(status) == 2) {
        log(Level::alert, "worker process " + std::to_string(pid) + " exited with fatal code 2 and cannot be respawned");
        stopping_ = true;
      } else if (soon) {
        restart_due_ = steady_clock::now() + kPause;
      } else {
        start_worker();
      }
    }
  }

  static void report(pid_t pid, int status) {
    const std::string who = "worker process " + std::to_string(pid);
    if (WIFSIGNALED(status))
      log(Level::alert, who + " exited on signal " + std::to_string(WTERMSIG(status)) + (WCOREDUMP(status) ? " (core dumped)" : ""));
    else
      log(Level::notice, who + " exited with code " + std::to_string(WEXITSTATUS(status)));
  }

  // Parses and opens everything first; a configuration with any mistake leaves the present one as it is.
  void reload() {
    if (stopping_) return;
    log(Level::notice, "reconfiguring");
    try {
      auto conf = Configuration::load(options_, [](const std::string& text) { log(Level::warn, text); });
      auto listening = Listening::open(conf->http().sockets, static_cast<int>(*conf->main().worker_processes), listening_.get());
      if (!conf->error_log().empty()) set_main_log(conf->error_log());
      listening_->close_unused(*listening);
      const pid_t old = current_;
      conf_ = std::move(conf);
      listening_ = std::move(listening);
      start_worker();
      if (workers_.contains(old) && old != current_) ::kill(old, SIGQUIT);
    } catch (const std::exception& error) {
      log(Level::emerg, error.what());
    }
  }

  void reopen() {
    log(Level::notice, "reopening logs");
    reopen_logs();
    tell_all(SIGUSR1);
  }

  void stop(int signal) {
    stopping_ = true;
    restart_due_.reset();
    tell_all(signal);
  }

  void tell_all(int signal) const {
    for (const auto& [pid, started] : workers_) ::kill(pid, signal);
  }

  const Options& options_;
  std::unique_ptr<Configuration> conf_;
  std::unique_ptr<Listening> listening_;
  std::map<pid_t, steady_clock::time_point> workers_;
  pid_t current_ = 0;
  std::optional<steady_clock::time_point> restart_due_;
  bool stopping_ = false;
};

// Until the configuration says where: -e, else the built-in place, else standard error.
void open_first_log(const Options& options) {
  LogTarget target;
  target.level = Level::notice;
  try {
    target.sink = file_sink(options.error_log.empty() ? options.prefix + "logs/error.log" : options.error_log);
  } catch (const std::exception&) {
    target.sink = file_sink("stderr");
    if (!options.error_log.empty()) std::cerr << "nginx: [alert] could not open error log file: " << options.error_log << "\n";
  }
  set_main_log({target});
}

int fail(const std::string& text) {
  std::cerr << "nginx: [emerg] " << text << "\n";
  log(Level::emerg, text);
  return 1;
}

}  // namespace

int run(const Options& options) {
  block_signals();
  open_first_log(options);
  std::unique_ptr<Configuration> conf;
  std::unique_ptr<Listening> listening;
  try {
    conf = Configuration::load(options, [](const std::string& text) {
      std::cerr << "nginx: [warn] " << text << "\n";
      log(Level::warn, text);
    });
    listening = Listening::open(conf->http().sockets, static_cast<int>(*conf->main().worker_processes), nullptr);
    if (!conf->error_log().empty()) set_main_log(conf->error_log());
    Starting starting(*conf->main().daemon && *conf->main().master_process);
    const PidFile pid(conf->pid_file());
    starting.done(options.error_log);
    const bool supervised = *conf->main().master_process;
    log(Level::notice, "seawall/" "0.1.0 started");
    if (supervised) return Supervisor(options, std::move(conf), std::move(listening)).run();
    const int code = run_worker(*conf, *listening, false);
    listening->remove_paths();
    return code;
  } catch (const std::exception& error) {
    return fail(error.what());
  }
}

}  // namespace seawall
