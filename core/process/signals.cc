#include "seawall/process/signals.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace seawall {
namespace {

constexpr int kWatched[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH, SIGCHLD, SIGIO};

}  // namespace

void block_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : kWatched) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGCHLD, SIG_DFL);  // who starts us may have ignored it: then nobody would hear of a worker's end
  ::signal(SIGPIPE, SIG_IGN);  // of a log's pipe, too: it is the write that fails
}

SignalWatch::SignalWatch(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : signals) sigaddset(&set, signal);
  fd_.reset(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd_) throw std::system_error(errno, std::generic_category(), "signalfd()");
  Loop::current().add(fd_.get(), EPOLLIN, *this);
}

SignalWatch::~SignalWatch() { Loop::current().remove(fd_.get()); }

Task<int> SignalWatch::next() {
  for (;;) {
    signalfd_siginfo info;
    if (::read(fd_.get(), &info, sizeof info) == sizeof info) co_return static_cast<int>(info.ssi_signo);
    readable_.reset();
    const Errc waited = co_await readable_.wait(Deadline::never(Wait::drain));
    if (waited != Errc::ok) co_return 0;
  }
}

}  // namespace seawall
