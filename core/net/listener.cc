#include "seawall/net/listener.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cerrno>
#include <new>
#include <system_error>

namespace seawall {
namespace {

// More in one turn would let a burst of newcomers delay everybody who is connected already.
constexpr int kQueue = 65'535;  // no backlog is longer
constexpr int kAcceptsATurn = 16;
constexpr Milliseconds kPause{100};

int highest_descriptor() {
  rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<int>(limit.rlim_cur) - Listener::kReserved;
}

}  // namespace

Listener::Listener(int fd, Acceptor& acceptor) : fd_(fd), acceptor_(acceptor) {
  Loop::current().add(fd_, EPOLLIN | EPOLLEXCLUSIVE, *this);
}

Listener::~Listener() { stop(); }

// Out of the set at once: a watcher that accepts nothing would take wake-ups from those who do (EPOLLEXCLUSIVE).
// The descriptor may be closed afterwards, and its number be another's.
void Listener::stop() {
  if (!std::exchange(stopped_, true)) Loop::current().remove(fd_);
}

Listener::Accepted Listener::accept_one() {
  Fd fd(::accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (fd) {
    // The kernel gives the lowest free number, so a number this high says that all but the reserve is in use. Closing at
    // once tells the client; leaving it in the queue would make it wait for its own timeout.
    if (fd.get() < highest_descriptor()) {
      return hand_on(std::move(fd)) ? Accepted::one : Accepted::failed;
    }
    if (acceptor_.make_room()) {
      newcomer_ = std::move(fd);
      return Accepted::crowded;
    }
    acceptor_.accept_failed(EMFILE);
    return Accepted::one;
  }
  if (errno == ECONNABORTED || errno == EINTR) return Accepted::one;
  if (errno == EAGAIN) return Accepted::none;
  acceptor_.accept_failed(errno);
  return Accepted::failed;
}

// What gave way has gone with the next turn. The newcomer takes over its number: one that kept a number of the reserve would
// be missing there, and the next one would not even be asked to wait for room.
Task<void> Listener::take_place() {
  const Errc slept = co_await sleep_until(Deadline::at(Loop::current().now(), Wait::accept));
  const Fd high = std::move(newcomer_);
  if (slept == Errc::cancelled) co_return;
  Fd low(::fcntl(high.get(), F_DUPFD_CLOEXEC, 0));
  if (low && low.get() < highest_descriptor()) hand_on(std::move(low));
  else acceptor_.accept_failed(EMFILE);
}

Task<void> Listener::run() {
  for (;;) {
    const Errc waited = co_await readable_.wait(Deadline::never(Wait::accept));
    if (waited != Errc::ok) co_return finish();
    readable_.reset();
    Accepted last = Accepted::one;
    for (int i = 0; i < kAcceptsATurn && last == Accepted::one; ++i) last = accept_one();
    if (last == Accepted::crowded) co_await take_place();
    if (last != Accepted::failed) continue;
    // Even the reserve is gone. The socket stays readable, so asking again at once would burn the loop.
    Loop::current().remove(fd_);
    do {
      acceptor_.make_room();
      const Errc slept = co_await sleep_until(Deadline::in(kPause, Wait::accept));
      if (slept == Errc::cancelled) co_return finish();
    } while (!listen_again());
  }
}

// What is in the queue already has been promised an answer: a socket that is closed resets it.
void Listener::finish() {
  Accepted last = Accepted::one;
  for (int i = 0; i < kQueue && last == Accepted::one; ++i) last = accept_one();
  newcomer_.reset();
  stop();
}

// False for want of memory, as epoll_ctl() says.
bool Listener::listen_again() {
  try {
    Loop::current().add(fd_, EPOLLIN | EPOLLEXCLUSIVE, *this);
  } catch (const std::system_error& error) {
    acceptor_.accept_failed(error.code().value());
    return false;
  }
  return true;
}

// Hands a newcomer on; false when there is no memory for it.
bool Listener::hand_on(Fd fd) {
  try {
    acceptor_.accepted(std::move(fd));
  } catch (const std::bad_alloc&) {
    acceptor_.accept_failed(ENOMEM);
    return false;
  }
  return true;
}

}  // namespace seawall
