#include "seawall/server/user_timeout.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <climits>

namespace seawall {

void UserTimeout::stretch(int fd, Milliseconds send_timeout) {
  if (left_ || now_ == 0) return;
  if (send_timeout.count() <= 0) set(fd, 0);
  else if (send_timeout.count() > now_) set(fd, std::min<std::int64_t>(send_timeout.count(), INT_MAX));
}

// What it has not taken yet may have been there for longer than that: the kernel would end the connection at its next look.
void UserTimeout::restore(int fd) {
  int unsent = 0;
  if (::ioctl(fd, SIOCOUTQ, &unsent) == 0 && unsent == 0) set(fd, kUserTimeout.count());
}

void UserTimeout::set(int fd, std::int64_t time) {
  const int value = static_cast<int>(time);
  if (::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &value, sizeof value) == 0) now_ = time;
}

}  // namespace seawall
