#include "seawall/process/signal_queue.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>

namespace seawall {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kHeard[] = {SIGCHLD, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT, SIGTERM, SIGINT, SIGWINCH, SIGIO};

}  // namespace

SignalQueue::SignalQueue() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : kHeard) sigaddset(&set, signal);
  fd_.reset(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd_) throw std::runtime_error(std::string("signalfd() failed (") + std::strerror(errno) + ")");
}

// 0: none has come.
int SignalQueue::read() const {
  signalfd_siginfo info;
  return ::read(fd_.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
}

int SignalQueue::next() {
  if (kept_.empty()) return read();
  const int signal = kept_.front();
  kept_.pop_front();
  return signal;
}

bool SignalQueue::ends_soon() const {
  return std::any_of(kept_.begin(), kept_.end(), [](int s) { return s == SIGTERM || s == SIGINT || s == SIGQUIT; });
}

bool SignalQueue::wait_for(int other, steady_clock::time_point until) {
  while (!ends_soon()) {
    const auto left = std::chrono::ceil<milliseconds>(until - steady_clock::now()).count();
    pollfd waits[] = {{other, POLLIN, 0}, {fd_.get(), POLLIN, 0}};
    if (left <= 0 || ::poll(waits, 2, static_cast<int>(left)) <= 0) return false;
    if (waits[0].revents) return true;
    if (const int signal = read()) kept_.push_back(signal);
  }
  return false;
}

}  // namespace seawall
