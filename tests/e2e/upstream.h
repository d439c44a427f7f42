// A scripted upstream: every connection it accepts is played by the test's function, in a thread of its own.
//
//   Upstream up([](RawClient& c) {
//     c.read_until("\r\n\r\n");
//     c.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
//   });
//   Server s("server { listen 127.0.0.1:%%PORT_0%%; location / { proxy_pass " + up.url() + "; } }");
#pragma once
#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>

#include "e2e/raw_client.h"

namespace test {

class Upstream {
 public:
  explicit Upstream(std::function<void(RawClient&)> play);
  ~Upstream();  // stops accepting, waits for the plays under way (their waits are bounded)

  int port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int connections() const { return connections_; }
  std::string failure() const;  // what the first play that failed threw; "" when none did

 private:
  void accept_all();

  std::function<void(RawClient&)> play_;
  int port_;
  seawall::Fd listener_;
  std::atomic<int> connections_ = 0;
  mutable std::mutex mutex_;
  std::string failure_;
  std::list<std::thread> plays_;
  std::thread acceptor_;
};

}  // namespace test
