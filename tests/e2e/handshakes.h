// Clients that make a new TLS connection for each request.
#pragma once
#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "e2e/tls_ask.h"

namespace test {

// As fast as they can; each answer must be a 200 of a.example.test.
class Handshakes {
 public:
  Handshakes(int port, int clients) : port_(port) {
    for (int i = 0; i < clients; ++i) threads_.emplace_back([this] { run(); });
  }
  ~Handshakes() { stop(); }
  void stop() {
    stopping_ = true;
    for (std::thread& one : threads_) one.join();
    threads_.clear();
  }
  int done() const { return done_; }
  std::string failure() {
    const std::lock_guard lock(mutex_);
    return failure_;
  }

 private:
  void run() {
    while (!stopping_) {
      try {
        RawClient c(port_);
        c.start_tls(to("a.example.test"));
        if (ask(c, "a.example.test").status != 200) throw std::runtime_error("another answer");
        ++done_;
      } catch (const std::exception& error) {
        const std::lock_guard lock(mutex_);
        if (failure_.empty()) failure_ = error.what();
      }
    }
  }
  const int port_;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> done_ = 0;
  std::mutex mutex_;
  std::string failure_;
  std::vector<std::thread> threads_;
};

}  // namespace test
