#include "seawall/process/supervisor.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "seawall/log/log.h"
#include "seawall/log/log_file.h"
#include "seawall/process/certificate_watch.h"
#include "seawall/process/control.h"
#include "seawall/process/privileges.h"
#include "seawall/process/service_manager.h"
#include "seawall/process/signal_queue.h"
#include "seawall/process/upgrade.h"
#include "seawall/process/worker.h"
#include "seawall/process/worker_table.h"

namespace seawall {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// A worker that dies is started again at once, unless it lived shorter than this: then after a pause that doubles.
constexpr milliseconds kTooSoon{1000};
constexpr milliseconds kFirstPause{100}, kLongestPause{5000};
// For the old worker to accept no more after a reload: an answer that says "done" then speaks of every later connection.
constexpr milliseconds kHandoverPatience{1000};
// SIGTERM means soon.
constexpr milliseconds kTermPatience{1000};
// For a new worker to serve; it opens logs and reads certificates' keys, and a machine may be busy.
constexpr milliseconds kStartPatience{10'000};
// A new configuration whose worker dies sooner is given up for the one before, which served.
constexpr milliseconds kTrial{5000};
// Workers of older configurations that may finish their work beside the present one.
constexpr std::size_t kGenerations = 16;
constexpr const char* kSilent = "the new worker process does not serve";
constexpr auto kNever = steady_clock::time_point::max();

class Supervisor {
 public:
  Supervisor(const Options& options, std::unique_ptr<Configuration> conf, std::unique_ptr<Listening> listening, PidFile& pid_file,
             bool in_background)
      : options_(options), conf_(std::move(conf)), listening_(std::move(listening)), pid_file_(pid_file), in_background_(in_background),
        control_(pid_file.path()) {}

  int run() {
    watch_ = std::make_unique<CertificateWatch>(conf_->http());
    start_worker();
    while (!done()) {
      const bool called = !signals_.has_kept() && wait();
      hear_of_start();
      while (const int signal = signals_.next()) hear(signal);
      if (called) serve_caller();
      do_what_is_due();
    }
    if (!upgrade_.is_running()) listening_->remove_paths();
    log(Level::notice, "exit");
    return failed_ ? 1 : 0;
  }

 private:
  bool done() const { return stopping_ && workers_.empty(); }

  // Until a signal comes, something is due, or somebody calls (true).
  bool wait() {
    const auto due = std::min({restart_due_.value_or(kNever), kill_due_.value_or(kNever), trial_ends_.value_or(kNever),
                               watch_->due().value_or(kNever), watchdog_due_});
    int patience = -1;
    if (due != kNever)
      patience = static_cast<int>(std::max<std::int64_t>(0, std::chrono::ceil<milliseconds>(due - steady_clock::now()).count()));
    pollfd waits[] = {{signals_.fd(), POLLIN, 0}, {control_.fd(), POLLIN, 0}, {starting_ ? starting_.get() : -1, POLLIN, 0}};
    return ::poll(waits, 3, patience) > 0 && (waits[1].revents & POLLIN);
  }

  // Of a worker that was started without anybody waiting for it.
  void hear_of_start() {
    pollfd said{starting_ ? starting_.get() : -1, POLLIN, 0};
    if (::poll(&said, 1, 0) <= 0) return;
    if (word_of(starting_).empty()) now_serves();
    starting_.reset();
  }

  // What a worker has to say about its start; "": it serves.
  static std::string word_of(const Fd& ready) {
    char word[PIPE_BUF];
    const ssize_t n = ::read(ready.get(), word, sizeof word);
    return n < 1 ? kSilent : std::string(word + 1, static_cast<std::size_t>(n - 1));
  }

  void now_serves() {
    if (!std::exchange(served_, true)) notify_manager(main_process() + "\nSTATUS=serving");
  }
  static std::string main_process() { return "READY=1\nMAINPID=" + std::to_string(::getpid()); }

  // Waits until the new worker accepts: "". Else why it does not: it cannot, takes too long, or the server is to end.
  std::string complaint_of(const Fd& ready) {
    return ready && signals_.wait_for(ready.get(), steady_clock::now() + kStartPatience) ? word_of(ready) : kSilent;
  }

  void hear(int signal) {
    switch (signal) {
      case SIGCHLD: return reap();
      case SIGHUP: return static_cast<void>(reload());
      case SIGUSR1: return reopen();
      case SIGUSR2: return upgrade();
      case SIGWINCH: return retire();
      case SIGIO: return watch_->heard();
      case SIGQUIT: return stop(SIGQUIT);
      default: return stop(SIGTERM);
    }
  }

  void do_what_is_due() {
    const auto now = steady_clock::now();
    if (restart_due_ && now >= *restart_due_) start_worker();
    if (kill_due_ && now >= *kill_due_) kill_all();
    if (trial_ends_ && now >= *trial_ends_) end_trial();
    if (watch_->due() && now >= *watch_->due()) renew_certificates();
    if (now < watchdog_due_) return;
    notify_alive();
    watchdog_due_ = now + *watchdog_;
  }

  void serve_caller() {
    const std::string command = control_.hear();
    if (command == "reload") control_.answer(reload());
    else control_.answer("the supervisor knows no \"" + command + "\"");
  }

  // In a worker: closes what is the supervisor's, and what only older configurations listen on.
  void leave(const Listening& stays) {
    listening_->close_unused(stays);
    watch_.reset();
    if (&stays != listening_.get()) conf_.reset();  // its logs and keys
    before_.reset();
    signals_.leave();
    starting_.reset();
    control_.leave();
  }

  void start_worker() {
    restart_due_.reset();
    starting_ = workers_.start(*conf_, *listening_, false, [this] { leave(*listening_); });
    if (!starting_) restart_due_ = steady_clock::now() + kLongestPause;
  }

  void reap() {
    while (const auto end = workers_.reap([this](pid_t pid, int) { forget_upgrade(pid); })) {
      if (stopping_ || retired_ || !end->current) continue;
      if (before_ && take_back()) continue;
      pause_ = end->lived > kTooSoon ? milliseconds(0) : std::clamp(2 * pause_, kFirstPause, kLongestPause);
      if (end->fatal && !served_) {  // one that has served may do so again, when what it lacks is there
        log(Level::alert, "worker process " + std::to_string(end->pid) + " exited with fatal code 2 and cannot be respawned");
        stopping_ = failed_ = true;
      } else {
        restart_due_ = steady_clock::now() + pause_;
      }
    }
  }

  // Parses and opens everything first, and waits until the new worker serves; a mistake, of whatever kind, leaves the present
  // one as it is. What went wrong; empty: nothing.
  std::string reload() {
    if (stopping_) return "the server is ending";
    if (retired_ && upgrade_.is_running()) return return_to_work();
    const bool had_retired = std::exchange(retired_, false);
    log(Level::notice, "reconfiguring");
    notify_reloading();
    const PatientManager patience(watchdog_);
    const pid_t old = workers_.current();
    std::string wrong;
    try {
      take_over();
      workers_.tell(old, kTakenOver);
      end_oldest();
      wait_until_closed(old);
    } catch (const std::exception& error) {
      wrong = error.what();
      stay_with(old);
      log(Level::emerg, wrong);
      if (had_retired) start_worker();
    }
    notify_manager(wrong.empty() ? "READY=1\nSTATUS=serving" : "READY=1\nSTATUS=serving; the last reload was refused: " + wrong);
    return wrong;
  }

  void wait_until_closed(pid_t worker) {
    const int channel = workers_.channel(worker);
    if (channel >= 0) signals_.wait_for(channel, steady_clock::now() + kHandoverPatience);
  }

  void take_over() {
    auto conf = Configuration::load(options_, [](const std::string& text) { log(Level::warn, text); });
    auto listening = Listening::open(conf->http().sockets, static_cast<int>(*conf->main().worker_processes), listening_.get());
    reopen(worker_user(conf->main()));
    set_main_log(conf->error_log(options_));
    const Fd ready = workers_.start(*conf, *listening, true, [&] { leave(*listening); });
    if (const std::string wrong = complaint_of(ready); !wrong.empty()) {
      listening->remove_unused_paths(*listening_);
      throw std::runtime_error(wrong + ", the present configuration stays");
    }
    listening_->close_unused(*listening);
    listening_->remove_unused_paths(*listening);
    std::unique_ptr<Configuration> replaced = std::exchange(conf_, std::move(conf));
    if (!before_) before_ = std::move(replaced);  // else it was on trial itself: who served is the one before
    trial_ends_ = steady_clock::now() + kTrial;
    listening_ = std::move(listening);
    watch_ = std::make_unique<CertificateWatch>(conf_->http());
    if (!pid_file_.move(conf_->pid_file()))
      log(Level::alert, "\"" + conf_->pid_file() + "\" could not be written (" + std::strerror(errno) + "), the pid file keeps its name");
    control_.move(pid_file_.path());
    restart_due_.reset();
    starting_.reset();
    now_serves();
  }

  void end_trial() {
    trial_ends_.reset();
    before_.reset();
  }

  // The worker of a new configuration has died before its trial was over. False: the one before cannot be had any more.
  bool take_back() {
    const std::string why = "the worker process of the new configuration has died within " + std::to_string(kTrial.count() / 1000) + " s";
    std::unique_ptr<Configuration> given_up = std::exchange(conf_, std::move(before_));
    end_trial();
    try {
      auto listening = Listening::open(conf_->http().sockets, static_cast<int>(*conf_->main().worker_processes), listening_.get());
      listening_->close_unused(*listening);
      listening_->remove_unused_paths(*listening);
      listening_ = std::move(listening);
    } catch (const std::exception& error) {
      log(Level::emerg, why + ", and the configuration before it cannot be taken back: " + error.what());
      conf_ = std::move(given_up);
      return false;
    }
    set_main_log(conf_->error_log(options_));
    log(Level::emerg, why + ", the configuration before it is taken back");
    notify_manager("STATUS=serving; the last reload was taken back: " + why);
    watch_ = std::make_unique<CertificateWatch>(conf_->http());
    start_worker();
    return true;
  }

  void stay_with(pid_t worker) {
    if (workers_.current() != worker) workers_.tell(workers_.current(), SIGKILL);
    workers_.set_current(worker);
    conf_->adopt();
    set_main_log(conf_->error_log(options_));
  }

  void end_oldest() {
    const pid_t oldest = workers_.oldest_of_more_than(kGenerations);
    if (oldest == 0) return;
    log(Level::warn, "worker process " + std::to_string(oldest) + " still has connections after " + std::to_string(kGenerations) +
                         " reloads and is ended; worker_shutdown_timeout would have done it before");
    workers_.tell(oldest, SIGTERM);
  }

  // Files that have changed hold here for workers to come, and in the present one.
  void renew_certificates() {
    const std::vector<Renewal> renewals = watch_->look();
    const int worker = workers_.renewals();
    if (renewals.empty() || worker < 0 || send_renewals(worker, renewals)) return;
    log(Level::error, std::string("the worker process could not be told of new certificates (") + std::strerror(errno) +
                          "), they hold after a reload");
  }

  void upgrade() {
    if (stopping_ || upgrade_.is_running()) return log(Level::notice, "USR2 is ignored: the server is ending, or a new binary runs already");
    log(Level::notice, "changing binary");
    if (!pid_file_.step_aside()) return log(Level::alert, std::string("the pid file could not be renamed (") + std::strerror(errno) + ")");
    control_.move(pid_file_.path());
    if (upgrade_.start(*listening_, *conf_->worker().env)) return log(Level::notice, "start new binary process " + std::to_string(upgrade_.pid()));
    log(Level::alert, std::string("fork() failed (") + std::strerror(errno) + ")");
    take_name_back();
  }

  void forget_upgrade(pid_t pid) {
    if (pid != upgrade_.pid()) return;
    log(Level::notice, "new binary process " + std::to_string(pid) + " exited");
    upgrade_.ended();
    if (stopping_ || pid_file_.is_taken()) return;  // the new one has been changed for a newer one, which serves
    take_name_back();
    if (retired_) return_to_work();
  }

  void take_name_back() {
    notify_manager(main_process());
    if (!pid_file_.step_back()) log(Level::alert, std::string("the pid file could not be renamed back (") + std::strerror(errno) + ")");
    control_.move(pid_file_.path());
  }

  // WINCH: a new binary serves, and our workers end; HUP brings them back. Of a terminal whose window has changed it says
  // nothing.
  void retire() {
    if (stopping_ || retired_ || (!upgrade_.is_running() && !in_background_)) return;
    retired_ = true;
    restart_due_.reset();
    workers_.tell_all(kTakenOver);
  }

  std::string return_to_work() {
    retired_ = false;
    log(Level::notice, "starting workers again");
    start_worker();
    const Fd ready = std::move(starting_);
    return complaint_of(ready);
  }

  void reopen() {
    log(Level::notice, "reopening logs");
    reopen(worker_user(conf_->main()));
    workers_.tell_all(SIGUSR1);
  }

  static void reopen(uid_t owner) {
    reopen_logs(owner);
    redirect_stderr();
  }

  void stop(int signal) {
    if (!stopping_) {
      if (!upgrade_.is_running() && !pid_file_.has_predecessor()) notify_manager("STOPPING=1");  // else the service goes on
      listening_->close_all();
    }
    stopping_ = true;
    restart_due_.reset();
    workers_.tell_all(signal);
    if (signal == SIGTERM && !kill_due_) kill_due_ = steady_clock::now() + kTermPatience;
  }

  void kill_all() {
    kill_due_.reset();
    log(Level::alert, "worker processes that did not end on SIGTERM are killed");
    workers_.tell_all(SIGKILL);
  }

  const Options& options_;
  std::unique_ptr<Configuration> conf_;
  std::unique_ptr<Listening> listening_;
  PidFile& pid_file_;
  const bool in_background_;
  SignalQueue signals_;
  Control control_;
  WorkerTable workers_;
  Upgrade upgrade_;
  std::unique_ptr<CertificateWatch> watch_;
  const std::optional<std::chrono::microseconds> watchdog_ = watchdog_interval();
  steady_clock::time_point watchdog_due_ = watchdog_ ? steady_clock::now() : kNever;
  std::unique_ptr<Configuration> before_;  // while the present one is on trial
  std::optional<steady_clock::time_point> restart_due_, kill_due_, trial_ends_;
  Fd starting_;  // of a worker that nobody waits for
  milliseconds pause_{0};
  bool served_ = false;  // a worker of ours
  bool stopping_ = false, failed_ = false;
  bool retired_ = false;  // WINCH
};

}  // namespace

int supervise(const Options& options, std::unique_ptr<Configuration> conf, std::unique_ptr<Listening> listening, PidFile& pid_file,
              bool in_background) {
  return Supervisor(options, std::move(conf), std::move(listening), pid_file, in_background).run();
}

}  // namespace seawall
