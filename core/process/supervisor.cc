#include "seawall/process/supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <iostream>
#include <map>
#include <stdexcept>

#include "seawall/log/log.h"
#include "seawall/log/log_file.h"
#include "seawall/process/certificate_watch.h"
#include "seawall/process/privileges.h"
#include "seawall/process/signals.h"
#include "seawall/process/worker.h"

namespace seawall {
namespace {

using std::chrono::steady_clock;

using std::chrono::milliseconds;

// A worker that dies is started again at once, unless it lived shorter than this: then after a pause that doubles.
constexpr milliseconds kTooSoon{1000};
constexpr milliseconds kFirstPause{100}, kLongestPause{5000};
// SIGTERM means soon.
constexpr milliseconds kTermPatience{1000};
// For a new worker to serve; it opens logs and reads certificates' keys, and a machine may be busy.
constexpr milliseconds kStartPatience{10'000};
constexpr auto kNever = steady_clock::time_point::max();

class Supervisor {
 public:
  Supervisor(const Options& options, std::unique_ptr<Configuration> conf, std::unique_ptr<Listening> listening)
      : options_(options), conf_(std::move(conf)), listening_(std::move(listening)) {}

  int run() {
    watch_ = std::make_unique<CertificateWatch>(conf_->http());
    start_worker();
    while (!done()) {
      const int signal = next_signal();
      if (signal == SIGCHLD) reap();
      else if (signal == SIGHUP) reload();
      else if (signal == SIGUSR1) reopen();
      else if (signal == SIGIO) watch_->heard();
      else if (signal == SIGQUIT || signal == SIGTERM || signal == SIGINT) stop(signal == SIGQUIT ? SIGQUIT : SIGTERM);
      else if (signal == SIGUSR2 || signal == SIGWINCH)
        log(Level::error, std::string(signal == SIGUSR2 ? "SIGUSR2 (upgrade of the binary)" : "SIGWINCH") + " is not supported yet, ignored");
      const auto now = steady_clock::now();
      if (restart_due_ && now >= *restart_due_) start_worker();
      if (kill_due_ && now >= *kill_due_) kill_all();
      if (watch_->due() && now >= *watch_->due()) renew_certificates();
    }
    listening_->remove_paths();
    log(Level::notice, "exit");
    return failed_ ? 1 : 0;
  }

 private:
  bool done() const { return stopping_ && workers_.empty(); }

  // Waits for a signal, or for the time at which something is due (0).
  int next_signal() const {
    sigset_t set;
    sigemptyset(&set);
    for (int signal : {SIGCHLD, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT, SIGTERM, SIGINT, SIGWINCH, SIGIO}) sigaddset(&set, signal);
    const auto due = std::min({restart_due_.value_or(kNever), kill_due_.value_or(kNever), watch_->due().value_or(kNever)});
    if (due == kNever) return std::max(0, sigwaitinfo(&set, nullptr));
    const auto left = std::max(std::chrono::nanoseconds(0), std::chrono::nanoseconds(due - steady_clock::now()));
    const timespec time{left.count() / 1'000'000'000, left.count() % 1'000'000'000};
    return std::max(0, sigtimedwait(&set, nullptr, &time));
  }

  // A pipe that says a byte once the worker serves, and ends without one when it cannot. Empty: there is no worker.
  Fd fork_worker(const Configuration& conf, const Listening& listening) {
    int ends[2] = {-1, -1}, channel[2] = {-1, -1};
    const bool piped = ::pipe2(ends, O_CLOEXEC) == 0 &&
                       ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, channel) == 0;
    Fd ready(ends[0]), tell(ends[1]), renewals(channel[0]), renewals_of_worker(channel[1]);
    conf.adopt();
    const pid_t pid = piped ? ::fork() : -1;
    if (pid < 0) {
      log(Level::alert, std::string(piped ? "fork()" : "pipe2() or socketpair()") + " failed (" + std::strerror(errno) + ")");
      return Fd();
    }
    if (pid == 0) {
      listening_->close_unused(listening);
      watch_.reset();
      renewals.reset();
      for (auto& worker : workers_) worker.second.renewals.reset();
      const int code = run_worker(conf, listening, true, renewals_of_worker, [&] {
        ready.reset();
        [[maybe_unused]] const ssize_t n = ::write(tell.get(), "", 1);  // nobody asks after the first start
        tell.reset();
      });
      // No destructors: what the child inherited belongs to the supervisor.
      std::cout.flush();
      ::_exit(code);
    }
    log(Level::notice, "start worker process " + std::to_string(pid));
    current_ = pid;
    workers_[pid] = {steady_clock::now(), std::move(renewals)};
    return ready;
  }

  void start_worker() {
    restart_due_.reset();
    if (!fork_worker(*conf_, *listening_)) restart_due_ = steady_clock::now() + kLongestPause;
  }

  static bool serves(const Fd& ready) {
    pollfd wait{ready.get(), POLLIN, 0};
    char byte;
    return ready && ::poll(&wait, 1, static_cast<int>(kStartPatience.count())) == 1 && ::read(ready.get(), &byte, 1) == 1;
  }

  void reap() {
    for (;;) {
      int status;
      const pid_t pid = ::waitpid(-1, &status, WNOHANG);
      if (pid <= 0) return;
      const auto worker = workers_.find(pid);
      if (worker == workers_.end()) continue;
      pause_ = steady_clock::now() - worker->second.started > kTooSoon ? milliseconds(0)
                                                              : std::clamp(2 * pause_, kFirstPause, kLongestPause);
      workers_.erase(worker);
      report(pid, status);
      if (stopping_ || pid != current_) continue;
      if (WIFEXITED(status) && WEXITSTATUS(status) == 2) {
        log(Level::alert, "worker process " + std::to_string(pid) + " exited with fatal code 2 and cannot be respawned");
        stopping_ = failed_ = true;
      } else {
        restart_due_ = steady_clock::now() + pause_;
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

  // Parses and opens everything first, and waits until the new worker serves; a mistake, of whatever kind, leaves the present
  // one as it is.
  void reload() {
    if (stopping_) return;
    log(Level::notice, "reconfiguring");
    const pid_t old = current_;
    try {
      auto conf = Configuration::load(options_, [](const std::string& text) { log(Level::warn, text); });
      auto listening = Listening::open(conf->http().sockets, static_cast<int>(*conf->main().worker_processes), listening_.get());
      reopen_logs(worker_user(conf->main()));
      set_main_log(conf->error_log(options_));
      const Fd ready = fork_worker(*conf, *listening);
      if (!serves(ready)) throw std::runtime_error("the new worker process does not serve, the present configuration stays");
      listening_->close_unused(*listening);
      listening_->remove_unused_paths(*listening);
      listening->trim();
      conf_ = std::move(conf);
      listening_ = std::move(listening);
      watch_ = std::make_unique<CertificateWatch>(conf_->http());
      restart_due_.reset();
      if (workers_.contains(old)) ::kill(old, SIGQUIT);
    } catch (const std::exception& error) {
      log(Level::emerg, error.what());
      stay_with(old);
    }
  }

  void stay_with(pid_t worker) {
    if (current_ != worker && workers_.contains(current_)) ::kill(current_, SIGKILL);
    current_ = worker;
    conf_->adopt();
    listening_->trim();
    set_main_log(conf_->error_log(options_));
  }

  // Files that have changed hold here for workers to come, and in the present one.
  void renew_certificates() {
    const std::vector<Renewal> renewals = watch_->look();
    const auto worker = workers_.find(current_);
    if (renewals.empty() || worker == workers_.end()) return;
    if (send_renewals(worker->second.renewals.get(), renewals)) return;
    log(Level::error, std::string("the worker process could not be told of new certificates (") + std::strerror(errno) +
                          "), they hold after a reload");
  }

  void reopen() {
    log(Level::notice, "reopening logs");
    reopen_logs(worker_user(conf_->main()));
    tell_all(SIGUSR1);
  }

  void stop(int signal) {
    stopping_ = true;
    restart_due_.reset();
    tell_all(signal);
    if (signal == SIGTERM && !kill_due_) kill_due_ = steady_clock::now() + kTermPatience;
  }

  void kill_all() {
    kill_due_.reset();
    for (const auto& [pid, started] : workers_)
      log(Level::alert, "worker process " + std::to_string(pid) + " did not end on SIGTERM and is killed");
    tell_all(SIGKILL);
  }

  void tell_all(int signal) const {
    for (const auto& [pid, started] : workers_) ::kill(pid, signal);
  }

  const Options& options_;
  std::unique_ptr<Configuration> conf_;
  std::unique_ptr<Listening> listening_;
  struct Running {
    steady_clock::time_point started;
    Fd renewals;  // to it
  };
  std::map<pid_t, Running> workers_;
  std::unique_ptr<CertificateWatch> watch_;
  pid_t current_ = 0;
  std::optional<steady_clock::time_point> restart_due_, kill_due_;
  milliseconds pause_{0};
  bool stopping_ = false, failed_ = false;
};

}  // namespace

int supervise(const Options& options, std::unique_ptr<Configuration> conf, std::unique_ptr<Listening> listening) {
  return Supervisor(options, std::move(conf), std::move(listening)).run();
}

}  // namespace seawall
