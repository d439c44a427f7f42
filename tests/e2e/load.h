// Load: clients that ask for /file, one request after another, each on its connection until it is told that it was the last
// (Connection: close, GOAWAY). What a client that keeps to HTTP's rules may not see is a failure: another answer, a reset, an end
// without a word.
#pragma once
#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "e2e/h2_client.h"
#include "e2e/raw_client.h"

namespace test {

class Load {
 public:
  static constexpr std::size_t kSize = 3000;  // of the file

  enum class Speaks { plain, tls, h2, h2_tls };
  enum class Minds { everything, answers };  // answers: a connection that breaks is no failure, a wrong answer is

  Load(int port, int clients, Speaks speaks, Minds minds = Minds::everything);
  ~Load() { stop(); }
  Load(const Load&) = delete;
  void stop();
  std::string failure();  // "": none
  int answered() const { return answered_; }
  int told() const { return told_; }

 private:
  void run();
  void fail(const std::string& why);
  void one_connection();
  void one_connection_of_h2();
  bool answered_by(H2Client& c, std::uint32_t stream);
  void count(int status, const std::string& body);
  const int port_;
  const Speaks speaks_;
  const Minds minds_;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> answered_ = 0, told_ = 0;
  std::mutex mutex_;
  std::string failure_;
  std::vector<std::thread> threads_;
};

}  // namespace test
