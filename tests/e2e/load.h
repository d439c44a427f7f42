// Load: clients that ask for /file, one request after another, each on its connection until it is told that it was the last.
// What a client that keeps to HTTP's rules may not see is a failure: another answer, a reset, an end without a word.
#pragma once
#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "e2e/raw_client.h"

namespace test {

class Load {
 public:
  static constexpr std::size_t kSize = 3000;  // of the file

  Load(int port, int clients, bool tls);
  ~Load() { stop(); }
  Load(const Load&) = delete;
  void stop();
  std::string failure();  // "": none
  int answered() const { return answered_; }
  int told() const { return told_; }  // "Connection: close"

 private:
  void run();
  void one_connection();
  const int port_;
  const bool tls_;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> answered_ = 0, told_ = 0;
  std::mutex mutex_;
  std::string failure_;
  std::vector<std::thread> threads_;
};

}  // namespace test
