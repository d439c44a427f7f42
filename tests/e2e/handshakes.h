// Clients that make new TLS connections all the time.
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
  Handshakes(int port, int clients, int requests = 1) : port_(port), requests_(requests) {
    for (int i = 0; i < clients; ++i) threads_.emplace_back([this] { run(); });
  }
  ~Handshakes() { stop(); }
  void stop() {
    stopping_ = true;
    for (std::thread& one : threads_) one.join();
    threads_.clear();
  }
  int done() const { return done_; }  // connections, each with all its requests
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
        for (int i = 0; i < requests_; ++i)
          if (ask(c, "a.example.test").status != 200) throw std::runtime_error("another answer");
        ++done_;
      } catch (const std::exception& error) {
        const std::lock_guard lock(mutex_);
        if (failure_.empty()) failure_ = error.what();
      }
    }
  }
  const int port_, requests_;  // of each connection
  std::atomic<bool> stopping_ = false;
  std::atomic<int> done_ = 0;
  std::mutex mutex_;
  std::string failure_;
  std::vector<std::thread> threads_;
};

}  // namespace test
