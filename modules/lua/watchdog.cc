#include "watchdog.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "seawall/log/log.h"
#include "vm.h"

namespace seawall::lua {
namespace {

using std::chrono::milliseconds;

[[gnu::tls_model("initial-exec")]] thread_local Watched* watched_here = nullptr;

// Whoever has to go on elsewhere has this long.
constexpr milliseconds kGrace(5000);

std::string program_of(pid_t pid) {
  char name[4096];
  const ssize_t n = ::readlink(("/proc/" + std::to_string(pid) + "/exe").c_str(), name, sizeof name);
  return n > 0 ? std::string(name, static_cast<std::size_t>(n)) : std::string();
}

// Is our parent the supervisor, and no shell (master_process off)?
bool is_supervised() {
  const std::string ours = program_of(::getpid());
  return !ours.empty() && ours == program_of(::getppid());
}

}  // namespace

int watchdog_signal() { return SIGRTMIN + 4; }

class Watchdog {
 public:
  static Watchdog& the() {
    static Watchdog watchdog;
    return watchdog;
  }
  void add(Watched& loop) {
    std::lock_guard lock(mutex_);
    loops_.push_back(&loop);
    if (!thread_.joinable()) start();
    changed_.notify_one();
  }
  // Behind this the loop gets no signal any more.
  void remove(Watched& loop) {
    std::unique_lock lock(mutex_);
    std::erase(loops_, &loop);
    if (!loops_.empty()) return;
    changed_.notify_one();
    std::thread last = std::move(thread_);
    lock.unlock();
    last.join();
  }

 private:
  void start() {
    struct sigaction action {};
    action.sa_handler = Watched::on_signal;
    action.sa_flags = SA_RESTART | SA_ONSTACK;
    ::sigaddset(&action.sa_mask, SIGPROF);  // LuaJIT's profiler changes its hooks, too
    ::sigaction(watchdog_signal(), &action, nullptr);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);  // no signal of the process's is this thread's
    thread_ = std::thread([this] { run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  void run() {
    std::unique_lock lock(mutex_);
    while (!loops_.empty()) {
      milliseconds pause(250);
      for (Watched* loop : loops_) {
        look_at(*loop);
        pause = std::min(pause, std::max(loop->budget_ / 8, milliseconds(5)));
      }
      changed_.wait_for(lock, pause);
    }
  }
  void look_at(Watched& loop) {
    const auto now = std::chrono::steady_clock::now();
    const std::uint64_t run = loop.runs_.load(std::memory_order_relaxed);
    if (run != loop.seen_ || !loop.is_running(run)) {
      loop.seen_ = run;
      loop.since_ = now;
      loop.step_ = Watched::Step::none;
      return;
    }
    const auto held = std::chrono::duration_cast<milliseconds>(now - loop.since_);
    if (held < loop.budget_) return;
    if (loop.step_ == Watched::Step::none) {
      loop.condemned_.store(run, std::memory_order_relaxed);
      loop.step_ = Watched::Step::told;
    }
    if (loop.step_ == Watched::Step::told) pthread_kill(loop.thread_, watchdog_signal());
    if (held >= 2 * loop.budget_) replace(loop, held);
  }
  // Of no use to the loop's requests, but to all others.
  static void replace(Watched& loop, milliseconds held) {
    if (loop.step_ == Watched::Step::told) {
      loop.step_ = Watched::Step::replaced;
      log(Level::alert, "Lua has held a loop for " + std::to_string(held.count()) +
                            " ms, and cannot be interrupted (a trace of the JIT compiler, or a function in C)" +
                            (is_supervised() ? ": a new worker is asked for" : ""));
      if (is_supervised()) ::kill(::getppid(), SIGHUP);
      return;
    }
    if (held < 2 * loop.budget_ + kGrace || !is_supervised()) return;
    log(Level::alert, "Lua still holds a loop: the worker ends");
    ::_exit(2);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Watched*> loops_;
  std::thread thread_;
};

Watched::Watched(milliseconds budget) : thread_(pthread_self()), budget_(budget), since_(std::chrono::steady_clock::now()) {
  sigset_t ours;
  sigemptyset(&ours);
  sigaddset(&ours, watchdog_signal());
  pthread_sigmask(SIG_UNBLOCK, &ours, nullptr);
  watched_here = this;
  Watchdog::the().add(*this);
}

Watched::~Watched() {
  Watchdog::the().remove(*this);
  watched_here = nullptr;
}

Watched* Watched::here() { return watched_here; }

void Watched::on_signal(int) {
  const Watched* const self = watched_here;
  Vm* const vm = Vm::now();
  if (self && vm && self->condemned_.load(std::memory_order_relaxed) == self->runs_.load(std::memory_order_relaxed)) vm->interrupt();
}

}  // namespace seawall::lua
