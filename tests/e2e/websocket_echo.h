// A WebSocket server of the Python package "websockets" that sends back every message.
#pragma once
#include <sys/types.h>

#include <memory>
#include <string>

namespace test {

class WebSocketEcho {
 public:
  // Null, with a warning that the test is skipped, where the package is missing.
  static std::unique_ptr<WebSocketEcho> start();
  ~WebSocketEcho();
  WebSocketEcho(const WebSocketEcho&) = delete;
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  WebSocketEcho();
  int port_;
  pid_t pid_ = -1;
};

// What Sec-WebSocket-Accept must say of a key.
std::string websocket_accept(const std::string& key);

}  // namespace test
