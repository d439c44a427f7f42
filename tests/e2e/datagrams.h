// A syslog server for tests: a UDP port of loopback, or a unix datagram socket. One test thread.
#pragma once
#include <string>

#include "seawall/base/fd.h"

namespace test {

class Datagrams {
 public:
  Datagrams();                                  // a port of its own
  explicit Datagrams(const std::string& path);  // a unix socket at this path

  const std::string& where() const { return where_; }  // as syslog's server= takes it
  std::string next();                                  // the next message; "" when none comes within kPatience

 private:
  seawall::Fd fd_;
  std::string where_;
};

}  // namespace test
