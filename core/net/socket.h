// Socket: a non-blocking descriptor in the loop's edge-triggered epoll set, with one waiter for each direction.
// Reading and writing are plain calls that never wait; waiting is `co_await socket.wait(...)`. One loop.
//
//   for (;;) {
//     Io io = socket.try_read(room);
//     if (io.kind != Io::want_read) break;
//     if (Errc e = co_await socket.wait(Socket::reading, Deadline::in(timeout, Wait::header)); e != Errc::ok) return e;
//   }
#pragma once
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "seawall/net/loop.h"

namespace seawall {

// What one attempt to read or write came to.
class Io {
 public:
  enum Kind : std::uint8_t { done, eof, want_read, want_write, failed };
  Kind kind;
  int error = 0;       // errno of failed; 0 where TLS failed (the stream keeps the reason)
  std::size_t n = 0;   // bytes of done
  static Io of(std::size_t n) { return {done, 0, n}; }
  static Io ended() { return {eof, 0, 0}; }
  static Io wants_read() { return {want_read, 0, 0}; }
  static Io wants_write() { return {want_write, 0, 0}; }
  static Io fail(int error) { return {failed, error, 0}; }
};

// Everything larger goes out in pieces of just under this: on a plain socket 100 KiB in one send cost 22.9 us, in two 13.8.
inline constexpr std::size_t kLargestSend = 64 * 1024 - 512;

// What one socket may read and write in one turn of the loop (a call counts as kLeastShare at least). Then it has to wait
// like one that is empty or full, so that a peer as fast as we are does not keep all others from their turn.
inline constexpr std::size_t kReadShare = 128 * 1024;
inline constexpr std::size_t kWriteShare = 2 * 1024 * 1024;  // nginx's sendfile_max_chunk
inline constexpr std::size_t kLeastShare = 1024;

class SEAWALL_API Socket final : public EpollSource {
 public:
  enum Direction : std::uint8_t { reading, writing };

  explicit Socket(Fd fd);
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  int fd() const { return fd_.get(); }
  Io try_read(std::span<char> room);
  // At most kLargestSend bytes a call; done may be fewer than offered. more: a file follows (MSG_MORE).
  Io try_write(std::span<const iovec> pieces, bool more = false);
  Io try_peek(std::span<char> room);     // reads without consuming
  Io try_send_file(int file, std::uint64_t offset, std::size_t length);

  // Is there, as far as we know, something to read in this turn (data, end or error)? May be true without.
  bool may_read() const { return may_read_; }
  // After a peek that was not enough: the next wait is for more bytes than are there now.
  void not_yet() { if (!peer_gone_) may_read_ = false; }
  // connect() is under way: the next wait for writing is for its end.
  void is_connecting() { may_write_ = false; }
  // The peer has ended its direction, or the connection broke; data may still be unread.
  bool peer_gone() const { return peer_gone_; }
  // A timer of this loop that is due at once when the peer goes, for who waits for something else; null: nobody's.
  void tell_when_gone(Timer* timer) { when_gone_ = timer; }
  bool has_waiter(Direction d) const { return sides_[d].waiter != nullptr; }
  // Ends a pending wait with `error`, as if it had come from the socket (drain, room for others).
  void interrupt(Direction d, Errc error) { if (sides_[d].waiter) sides_[d].waiter->complete(error); }

  // Orderly end of our direction.
  void shut_down_writing();
  // Closes with a reset instead of an orderly end (reset_timedout_connection).
  void reset();

  class Awaiter;
  // Waits until the direction may be tried again: ok, timed_out or cancelled. In a cancelled scope and after the deadline
  // it says so even when the direction is ready: a peer that never stops cannot outlast either.
  Awaiter wait(Direction d, Deadline deadline);

  void on_events(std::uint32_t events) override;

 private:
  // A side keeps its timer armed across waits and compares when it fires: most waits end long before, and so the heap is
  // hardly ever touched.
  struct Side {
    Timer timer{&Side::fire};
    Waiter* waiter = nullptr;
    std::int64_t deadline = 0;
    static void fire(Timer& timer);
  };
  void arm(Side& side, Deadline deadline);
  bool is_ready(Direction d) const { return d == reading ? may_read_ : may_write_; }
  Io receive(std::span<char> room, int flags);
  // Has this direction had its share of the turn? Then it is woken in the next one.
  bool spent(Direction d);
  void spend(Direction d, std::size_t n) { spent_[d] += n < kLeastShare ? kLeastShare : static_cast<std::uint32_t>(n); }

  Fd fd_;
  bool may_read_ = false;
  bool may_write_ = true;
  bool peer_gone_ = false;
  Timer* when_gone_ = nullptr;
  std::uint32_t turn_ = 0;  // of the loop, that spent_ counts for
  std::uint32_t spent_[2] = {0, 0};
  Side sides_[2];
};

class Socket::Awaiter {
 public:
  Awaiter(Socket& socket, Direction direction, Deadline deadline)
      : socket_(socket), direction_(direction), waiter_(Waiter::socket, deadline) {}
  bool await_ready() const { return false; }
  template <class P>
  bool await_suspend(std::coroutine_handle<P> awaiter) {
    Side& side = socket_.sides_[direction_];
    CHECK(!side.waiter);
    Scope* const scope = awaiter.promise().scope;
    if (!scope->cancelled()) {
      if (waiter_.deadline().passed()) return waiter_.refuse(Errc::timed_out), false;
      if (socket_.is_ready(direction_)) return false;
    }
    if (!waiter_.suspend(awaiter, scope)) return false;
    waiter_.set_place(&side.waiter);
    socket_.arm(side, waiter_.deadline());
    return true;
  }
  Errc await_resume() const { return waiter_.error(); }

 private:
  Socket& socket_;
  Direction direction_;
  BoundWaiter waiter_;
};

inline Socket::Awaiter Socket::wait(Direction d, Deadline deadline) { return Awaiter(*this, d, deadline); }

}  // namespace seawall
