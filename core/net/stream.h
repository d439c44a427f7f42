// Stream: bytes to and from one peer, plain or TLS: the only virtual seam of the network. try_* never wait and say which
// direction of the socket to wait for (TLS crosses them). The functions below wait, each with a Deadline. One loop.
#pragma once
#include <span>
#include <string_view>

#include "seawall/async/task.h"
#include "seawall/async/try_first.h"
#include "seawall/base/result.h"
#include "seawall/net/socket.h"

namespace seawall {

class SEAWALL_API Stream {
 public:
  explicit Stream(Fd fd) : socket_(std::move(fd)) {}
  virtual ~Stream() = default;
  virtual Io try_read(std::span<char> room) { return socket_.try_read(room); }
  virtual Io try_write(std::span<const iovec> pieces) { return socket_.try_write(pieces); }
  // Bytes accepted by try_write that the socket has not taken yet (TLS records); done when there are none.
  virtual Io try_flush() { return Io::of(0); }
  // Bytes of a file without passing through user space; only where sends_files().
  virtual bool sends_files() const { return true; }
  Io try_send_file(int file, std::uint64_t offset, std::size_t length) {
    return socket_.try_send_file(file, offset, length);
  }
  // Could a read succeed without the socket becoming readable (bytes inside TLS)?
  virtual bool has_buffered_input() const { return false; }
  // The orderly end of our direction (close_notify, FIN); never waits.
  virtual void end() { socket_.shut_down_writing(); }

  Socket& socket() { return socket_; }
  const Socket& socket() const { return socket_; }

 protected:
  Socket socket_;
};

// What a failed or ended Io means as a Result's error.
SEAWALL_API std::error_code error_of(const Io& io);
// Waits for what `io` wants: ok, timed_out, cancelled.
inline Socket::Awaiter wait_for(Stream& stream, const Io& io, Deadline deadline) {
  return stream.socket().wait(io.kind == Io::want_write ? Socket::writing : Socket::reading, deadline);
}

class SEAWALL_API SomeRead {
 public:
  SomeRead(Stream& stream, std::span<char> room, Deadline deadline) : stream_(stream), room_(room), deadline_(deadline) {}
  std::optional<Result<std::size_t>> now();
  Task<Result<std::size_t>> later();

 private:
  Stream& stream_;
  std::span<char> room_;
  Deadline deadline_;
  Io io_ = Io::wants_read();
};
// At least one byte, or Errc::peer_closed at the peer's end.
inline TryFirst<SomeRead> read_some(Stream& stream, std::span<char> room, Deadline deadline) {
  return TryFirst<SomeRead>(std::in_place, stream, room, deadline);
}
// All bytes of all pieces; the deadline bounds each wait for progress (send_timeout), not the whole.
SEAWALL_API Task<Result<void>> write_all(Stream& stream, std::string_view bytes, Milliseconds gap, Wait wait);

}  // namespace seawall
