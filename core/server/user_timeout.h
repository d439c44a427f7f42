// UserTimeout: how long the kernel lets a client leave our bytes unacknowledged before it ends the connection (TCP_USER_TIMEOUT,
// B30). It counts the time in which a living client keeps its window shut, too: where the socket is full it must not be shorter
// than send_timeout. What is usual costs no call. One loop; lives in the Connection.
#pragma once
#include <cstdint>

#include "seawall/async/deadline.h"

namespace seawall {

// What accepted sockets inherit from the listening one.
inline constexpr Milliseconds kUserTimeout{30'000};

class UserTimeout {
 public:
  // Before a wait for a full socket.
  void stretch(int fd, Milliseconds send_timeout);
  // The client is heard again: as before, if it has taken all.
  void relax(int fd) { if (now_ != kUserTimeout.count()) restore(fd); }
  // The socket has not got it, or none of its own: nothing is ever changed.
  void leave() { left_ = true; }

 private:
  void restore(int fd);
  void set(int fd, std::int64_t time);
  std::int64_t now_ = kUserTimeout.count();  // ms; 0: none
  bool left_ = false;
};

}  // namespace seawall
