#include "seawall/net/socket.h"

#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace seawall {

Socket::Socket(Fd fd) : fd_(std::move(fd)) {
  Loop::current().add(fd_.get(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, *this);
}

Socket::~Socket() {
  CHECK(!sides_[reading].waiter && !sides_[writing].waiter);
  if (fd_) Loop::current().remove(fd_.get());
}

void Socket::on_events(std::uint32_t events) {
  if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
    if (!peer_gone_ && when_gone_) Scheduler::current().arm(*when_gone_, 0);
    peer_gone_ = true;
  }
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
    may_read_ = true;
    if (sides_[reading].waiter) sides_[reading].waiter->complete(Errc::ok);
  }
  if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) {
    may_write_ = true;
    if (sides_[writing].waiter) sides_[writing].waiter->complete(Errc::ok);
  }
}

Io Socket::try_read(std::span<char> room) { return receive(room, 0); }
Io Socket::try_peek(std::span<char> room) { return receive(room, MSG_PEEK); }

bool Socket::spent(Direction d) {
  Loop& loop = Loop::current();
  if (turn_ != loop.turns()) {
    turn_ = loop.turns();
    spent_[reading] = spent_[writing] = 0;
  }
  if (spent_[d] < (d == reading ? kReadShare : kWriteShare)) return false;
  (d == reading ? may_read_ : may_write_) = false;
  loop.again(*this, d == reading ? EPOLLIN : EPOLLOUT);
  return true;
}

Io Socket::receive(std::span<char> room, int flags) {
  if (!may_read_ || spent(reading)) return Io::wants_read();
  ssize_t n;
  do n = ::recv(fd_.get(), room.data(), room.size(), flags);
  while (n < 0 && errno == EINTR);
  if (n > 0) {
    spend(reading, static_cast<std::size_t>(n));
    // A short read emptied the socket; the next byte makes a new edge. After the peer's end no further edge would come.
    if (static_cast<std::size_t>(n) < room.size() && !peer_gone_ && !flags) may_read_ = false;
    return Io::of(static_cast<std::size_t>(n));
  }
  if (n == 0) return Io::ended();
  if (errno != EAGAIN) return Io::fail(errno);
  may_read_ = false;
  return Io::wants_read();
}

Io Socket::try_write(std::span<const iovec> pieces, bool more) {
  if (!may_write_ || spent(writing)) return Io::wants_write();
  iovec capped[16];
  std::size_t count = 0, total = 0;
  for (; count < pieces.size() && count < std::size(capped) && total < kLargestSend; ++count) {
    capped[count] = pieces[count];
    capped[count].iov_len = std::min(capped[count].iov_len, kLargestSend - total);
    total += capped[count].iov_len;
  }
  msghdr message{};
  message.msg_iov = capped;
  message.msg_iovlen = count;
  const int flags = MSG_NOSIGNAL | (more ? MSG_MORE : 0);
  ssize_t n;
  do n = count == 1 ? ::send(fd_.get(), capped[0].iov_base, capped[0].iov_len, flags) : ::sendmsg(fd_.get(), &message, flags);
  while (n < 0 && errno == EINTR);
  if (n >= 0) {
    spend(writing, static_cast<std::size_t>(n));
    if (static_cast<std::size_t>(n) < total) may_write_ = false;
    return Io::of(static_cast<std::size_t>(n));
  }
  if (errno != EAGAIN) return Io::fail(errno);
  may_write_ = false;
  return Io::wants_write();
}

// Of a file with so much left: 10 MiB in pieces of kLargestSend cost a third more.
constexpr std::size_t kLongPiece = 1024 * 1024;

Io Socket::try_send_file(int file, std::uint64_t offset, std::size_t length) {
  if (!may_write_ || spent(writing)) return Io::wants_write();
  auto at = static_cast<off_t>(offset);
  const std::size_t wanted = length >= kLongPiece ? kLongPiece : std::min(length, kLargestSend);
  ssize_t n;
  do n = ::sendfile(fd_.get(), file, &at, wanted);
  while (n < 0 && errno == EINTR);
  // A short count says nothing about the socket here: pages, too, end a piece.
  if (n > 0) {
    spend(writing, static_cast<std::size_t>(n));
    return Io::of(static_cast<std::size_t>(n));
  }
  if (n == 0) return Io::ended();  // the file is shorter than it was
  if (errno != EAGAIN) return Io::fail(errno);
  may_write_ = false;
  return Io::wants_write();
}

void Socket::shut_down_writing() { ::shutdown(fd_.get(), SHUT_WR); }

void Socket::reset() {
  const linger hard{1, 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

void Socket::arm(Side& side, Deadline deadline) {
  side.deadline = deadline.when();
  if (deadline.is_never()) return;
  if (!side.timer.armed() || side.timer.when() > side.deadline) Scheduler::current().arm(side.timer, side.deadline);
}

void Socket::Side::fire(Timer& timer) {
  Side& side = reinterpret_cast<Side&>(timer);  // the timer is its first member
  if (!side.waiter || side.deadline == Deadline::kNever) return;
  auto& scheduler = Scheduler::current();
  if (side.deadline <= scheduler.now()) side.waiter->complete(Errc::timed_out);
  else scheduler.arm(side.timer, side.deadline);
}

}  // namespace seawall
