#include "seawall/process/worker.h"

#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <latch>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "seawall/log/log.h"
#include "seawall/log/log_file.h"
#include "seawall/process/certificate_watch.h"
#include "seawall/process/crash_report.h"
#include "seawall/process/daemon.h"
#include "seawall/process/environment.h"
#include "seawall/process/privileges.h"
#include "seawall/process/self_probe.h"
#include "seawall/process/signals.h"
#include "seawall/server/file_cache.h"
#include "seawall/server/loop_server.h"
#include "seawall/server/staple_fetch.h"
#include "seawall/server/worker_folders.h"
#include "seawall/server/worker_life.h"
#include "seawall/server/worker_module.h"
#include "seawall/upstream/loop_upstreams.h"

namespace seawall {
namespace {

constexpr int kFatal = 2;  // nginx's "do not restart me"

// One loop with its thread's share of everything.
class LoopThread {
 public:
  // Each is called once, on this loop's thread, after drain() or terminate(): `closed` when it accepts no more, `gone` when the
  // last connection has ended.
  LoopThread(int number, const Configuration& conf, const Listening& listening, HeaderLimit& header_limit,
             std::function<void()> closed, std::function<void()> gone)
      : conf_(conf), listening_(listening), closed_(std::move(closed)), gone_(std::move(gone)), loop_(number),
        server_(loop_, *conf.main().worker_connections, header_limit) {
    start_modules();
    LoopUpstreams::of(loop_).start_checks(loop_, conf_.http().vhosts);
  }
  ~LoopThread() {
    for (int i = 0; i < conf_.loader().modules(); ++i) {
      const Module& module = conf_.loader().module(i);
      if (module.loop_stop) module.loop_stop(loop_.module_states[static_cast<std::size_t>(i)]);
    }
  }
  void run() { loop_.run(); }
  Loop& loop() { return loop_; }
  LoopServer& server() { return server_; }

  // On this loop's thread, as all below.
  void listen() {
    if (server_.draining()) return;
    std::vector<OpenListener> listeners;
    const auto& sockets = conf_.http().sockets;
    for (std::size_t i = 0; i < sockets.size(); ++i)
      for (int fd : listening_.fds(i, loop_.number())) listeners.push_back({fd, &sockets[i]});
    server_.listen(listeners);
  }
  void drain() {
    if (server_.draining()) return;
    server_.drain();
    end();
    if (const auto at_most = *conf_.main().worker_shutdown_timeout; at_most.count() > 0) loop_.scope().spawn(terminate_after(at_most));
    if (const auto at_most = *conf_.worker().tunnel_shutdown_timeout; at_most.count() > 0) loop_.scope().spawn(end_tunnels_after(at_most));
  }
  void close_idle() { server_.close_idle(); }
  void terminate() {
    const bool ending = server_.draining();
    server_.terminate();
    loop_.scope().cancel();
    if (!ending) end();
  }
  // What only waits for the end (the shutdown timer, signals) must not hold the loop when everybody has gone.
  void cancel_helpers() { loop_.scope().cancel(); }

 private:
  void start_modules() {
    for (int i = 0; i < conf_.loader().modules(); ++i) {
      const Module& module = conf_.loader().module(i);
      loop_.module_states.push_back(module.loop_start ? module.loop_start(loop_, conf_.settings().get(i)) : nullptr);
    }
  }
  void end() {
    loop_.stop();
    ending_.spawn(tell_end());
  }
  Task<void> tell_end() {
    co_await server_.stopped_accepting();
    listening_.leave();
    closed_();
    co_await server_.ended();
    gone_();
  }
  Task<void> terminate_after(Milliseconds time) {
    const Errc slept = co_await sleep_until(Deadline::in(time, Wait::drain));
    if (slept == Errc::timed_out) server_.terminate();
  }
  Task<void> end_tunnels_after(Milliseconds time) {
    const Errc slept = co_await sleep_until(Deadline::in(time, Wait::drain));
    if (slept == Errc::timed_out) Tunnels::of(loop_).end();
  }

  const Configuration& conf_;
  const Listening& listening_;
  const std::function<void()> closed_, gone_;
  const CrashStack crash_stack_;
  Loop loop_;
  LoopServer server_;
  Scope ending_;
};

// Tells when something has come over a descriptor. One loop.
class Inbox final : private EpollSource {
 public:
  explicit Inbox(int fd) : fd_(fd) { Loop::current().add(fd, EPOLLIN, *this); }
  ~Inbox() { Loop::current().remove(fd_); }
  Task<Errc> wait() {
    const Errc waited = co_await readable_.wait(Deadline::never(Wait::drain));
    readable_.reset();
    co_return waited;
  }

 private:
  void on_events(std::uint32_t) override { readable_.set(); }
  const int fd_;
  Event readable_;
};

// The other end of the channel is closed, and nothing is left in it.
bool has_ended(int channel) {
  char byte;
  return ::recv(channel, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

// The calling thread, which is this loop's.
void bind_to_cpus(const CpuAffinity& affinity, int loop) {
  const auto cpus = affinity.of(loop);
  if (cpus && ::sched_setaffinity(0, sizeof *cpus, &*cpus) < 0)
    log(Level::alert, std::string("sched_setaffinity() failed (") + std::to_string(errno) + ": " + std::strerror(errno) + ")");
}

// The loops of the process and what signals do to them.
class Worker {
 public:
  Worker(const Configuration& conf, const Listening& listening, const Fd& renewals)
      : conf_(conf), listening_(listening), renewals_(renewals), contexts_(conf.http().tls_contexts()), header_limit_(*conf.main().limit_conn_header),
        loops_(static_cast<int>(*conf.main().worker_processes)), started_(loops_), ended_(loops_),
        threads_(static_cast<std::size_t>(loops_)) {}

  int run(bool probe, const Ready& ready) {
    ready_ = &ready;
    LoopThread first(0, conf_, listening_, header_limit_, [this] { count_closed(); }, [this] { count_gone(); });
    threads_[0] = &first;
    std::vector<std::thread> others;
    for (int i = 1; i < loops_; ++i) others.emplace_back([this, i] { run_other(i); });
    bind_to_cpus(*conf_.worker().cpu_affinity, 0);  // not before: threads inherit it
    started_.arrive_and_wait();
    SignalWatch signals({SIGHUP, SIGQUIT, SIGTERM, SIGINT, SIGUSR1, kTakenOver});
    first.loop().scope().spawn(watch(signals));
    first.loop().scope().spawn(keep_stapled(contexts_, renewed_));
    if (renewals_) first.loop().scope().spawn(take_renewals());
    SelfProbe self(conf_.http(), first.server());
    if (probe) self.start([this, &ready](const std::string& wrong) { wrong.empty() ? open(ready) : ready(wrong); });
    else first.loop().post([this, &ready] { open(ready); });
    serve(first);
    for (std::thread& thread : others) thread.join();
    return 0;
  }

 private:
  // On the first loop: all loops begin to accept. From then on nothing that can fail may keep this worker from serving.
  void open(const Ready& ready) {
    if (threads_[0]->server().draining()) return;  // the end came first: the sockets are closed
    try {
      listening_.listen_rest(conf_.http().sockets);
    } catch (const std::exception& error) {
      log(Level::emerg, error.what());
      return ready(error.what());
    }
    on_all([this, &ready](LoopThread& thread) {
      try {
        thread.listen();
      } catch (const std::exception& error) {
        fail(error.what());
      }
      threads_[0]->loop().post([this, &ready] {
        if (++listening_loops_ < loops_) return;
        WorkerLife::ours().serve();
        ready({});
      });
    });
  }

  void run_other(int number) {
    LoopThread* self = nullptr;
    bind_to_cpus(*conf_.worker().cpu_affinity, number);
    try {
      const auto closed = [this] { threads_[0]->loop().post([this] { count_closed(); }); };
      LoopThread own(number, conf_, listening_, header_limit_, closed, [this, &self] {
        self->cancel_helpers();
        threads_[0]->loop().post([this] { count_gone(); });
      });
      self = threads_[static_cast<std::size_t>(number)] = &own;
      started_.arrive_and_wait();
      serve(own);
    } catch (const std::exception& error) {
      // The others cannot end without this one. One that never began is no use to start again.
      if (!self) fail(error.what());
      log(Level::emerg, error.what());
      ::_exit(1);
    }
  }
  // Any loop: this worker cannot serve.
  [[noreturn]] void fail(const std::string& why) {
    log(Level::emerg, why);
    const std::lock_guard one(failing_);
    (*ready_)(why);
    ::_exit(kFatal);
  }
  // No loop dies before the last one has ended: whoever still runs posts to all.
  void serve(LoopThread& own) {
    for (LoopThread* thread : threads_)
      if (thread != &own) FileCaches::of(own.loop()).others.push_back(&thread->loop());
    own.run();
    ended_.arrive_and_wait();
  }
  // On the first loop. Who reads nginx's line, or waits as the supervisor does, knows that new connections are another's.
  void count_closed() {
    if (++closed_ < loops_) return;
    if (graceful_) log(Level::notice, "gracefully shutting down");
    if (renewals_) ::shutdown(renewals_.get(), SHUT_WR);
  }
  // On the first loop: it hears signals for as long as any loop has connections.
  void count_gone() {
    if (++gone_ == loops_) threads_[0]->cancel_helpers();
  }

  template <class F>
  void on_all(F work) {
    for (LoopThread* thread : threads_) thread->loop().post([thread, work] { work(*thread); });
  }

  Task<void> watch(SignalWatch& signals) {
    for (;;) {
      const int signal = co_await signals.next();
      if (signal == 0) co_return;
      if (signal == SIGUSR1) {
        log(Level::notice, "reopening logs");
        reopen_logs();
        redirect_stderr();
      } else if (signal == SIGQUIT || signal == kTakenOver) {
        graceful_ = true;
        WorkerLife::ours().retire();
        on_all([signal](LoopThread& t) {
          t.drain();
          if (signal == SIGQUIT) t.close_idle();
        });
      } else if (signal == SIGHUP) {
        log(Level::error, "SIGHUP is for the supervisor; without one (master_process off) there is no reload");
      } else if (signal == SIGTERM || signal == SIGINT) {
        log(Level::notice, "exiting");
        WorkerLife::ours().retire();
        on_all([](LoopThread& t) { t.terminate(); });
      }
    }
  }

  // Certificates that have changed, until the supervisor's end is gone.
  Task<void> take_renewals() {
    Inbox inbox(renewals_.get());
    for (;;) {
      const Errc waited = co_await inbox.wait();
      if (waited != Errc::ok) co_return;
      try {
        const std::vector<Renewal> renewals = receive_renewals(renewals_.get());
        if (renewals.empty() && has_ended(renewals_.get())) co_return;
        if (!renewals.empty()) renewed_.set();
        for (const Renewal& renewal : renewals) renew(renewal);
      } catch (const std::exception& error) {
        log(Level::alert, std::string("new certificates of the supervisor are refused: ") + error.what());
      }
    }
  }

  void renew(const Renewal& renewal) {
    try {
      contexts_.at(renewal.context)->renew(renewal.files);
    } catch (const std::exception& error) {
      log(Level::alert, std::string("new certificates of the supervisor are refused: ") + error.what());
    }
  }

  const Configuration& conf_;
  const Listening& listening_;
  const Fd& renewals_;
  const std::vector<std::shared_ptr<TlsContext>> contexts_;
  const Ready* ready_ = nullptr;
  std::mutex failing_;
  Event renewed_;
  HeaderLimit header_limit_;
  const int loops_;
  std::latch started_, ended_;
  int listening_loops_ = 0;
  bool graceful_ = false;
  int closed_ = 0;  // loops that accept no more, as far as the first loop knows
  int gone_ = 0;  // loops whose connections have all ended, as far as the first loop knows
  std::vector<LoopThread*> threads_;
};

void log_exception(std::exception_ptr error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    log(Level::alert, std::string("a connection's task ended by an exception: ") + e.what());
  } catch (...) {
    log(Level::alert, "a connection's task ended by an unknown exception");
  }
}

}  // namespace

int run_worker(const Configuration& conf, const Listening& listening, pid_t supervisor, bool probe, const Fd& renewals,
               const Ready& ready) {
  Scope::set_exception_handler(log_exception);
  try {
    if (supervisor) end_with(supervisor);
    install_crash_report();
    restrict_environment(*conf.worker().env);
    set_limits(conf.main(), *conf.worker().rlimit_core);
    make_worker_folders(conf.worker_folders(), worker_user(conf.main()));
    if (supervisor) drop_privileges(conf.main(), supervisor);
    return Worker(conf, listening, renewals).run(probe, ready);
  } catch (const std::exception& error) {
    log(Level::emerg, error.what());
    ready(error.what());
    return kFatal;
  }
}

}  // namespace seawall
