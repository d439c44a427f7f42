// A crowd of clients whose requests take as long as the test: tunnels to an echo, slow uploads, a long download. The test's thread
// moves all of them a step at a time; whatever goes wrong throws.
#pragma once
#include <atomic>
#include <deque>
#include <string>
#include <thread>

#include "e2e/raw_client.h"

namespace test {

// A server that answers each upgrade with 101 and sends back what comes then, and each other request with its body's length once that
// has come; one thread for all connections.
class Echo {
 public:
  Echo();
  ~Echo();
  Echo(const Echo&) = delete;
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  class Peer;
  void serve();
  const int port_;
  const seawall::Fd listening_;
  seawall::Fd stop_, stopped_;
  std::thread thread_;
};

// Asks for /tunnel, /upload and /long, which the server passes to an Echo (the first two) and finds in a file (the last).
class Crowd {
 public:
  static constexpr std::size_t kLong = 16 << 20;  // more than the kernel takes in advance

  // Each upload has a byte for so many steps.
  Crowd(int port, int tunnels, int uploads, int steps);
  void step();    // each tunnel has its message echoed, each upload sends a byte, the download takes a piece
  void finish();  // uploads are answered, the download is whole; tunnels are closed

 private:
  const std::size_t bytes_;
  std::size_t sent_ = 0, taken_ = 0;
  std::deque<RawClient> tunnels_, uploads_;
  RawClient download_;
};

}  // namespace test
