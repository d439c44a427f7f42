// Reloads under load: no request of a client fails that has kept to HTTP's rules.
#include <atomic>
#include <mutex>
#include <thread>

#include "catch.h"
#include "e2e/certificate.h"
#include "e2e/raw_client.h"
#include "e2e/server.h"
#include "e2e/timing.h"

using namespace test;

namespace {

// Clients that ask one request after another, each on its connection until it is told that it was the last.
class Load {
 public:
  Load(int port, int clients, bool tls) : port_(port), tls_(tls) {
    for (int i = 0; i < clients; ++i) threads_.emplace_back([this] { run(); });
  }
  ~Load() { stop(); }
  void stop() {
    stopping_ = true;
    for (std::thread& thread : threads_)
      if (thread.joinable()) thread.join();
  }
  std::string failure() {
    const std::lock_guard lock(mutex_);
    return failure_;
  }
  int answered() const { return answered_; }
  int told() const { return told_; }  // "Connection: close"

 private:
  void run() {
    try {
      while (!stopping_) one_connection();
    } catch (const std::exception& error) {
      const std::lock_guard lock(mutex_);
      failure_ = error.what();
    }
  }
  void one_connection() {
    RawClient c(port_);
    if (tls_) c.start_tls();
    while (!stopping_) {
      c.send("GET /file HTTP/1.1\r\nHost: a\r\n\r\n");
      const Response r = c.read_response();
      if (r.status != 200 || r.body.size() != kSize) throw std::runtime_error("answered " + std::to_string(r.status));
      ++answered_;
      if (r.header("connection") != "close") continue;
      ++told_;
      return;
    }
  }

 public:
  static constexpr std::size_t kSize = 3000;

 private:
  const int port_;
  const bool tls_;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> answered_ = 0, told_ = 0;
  std::mutex mutex_;
  std::string failure_;
  std::vector<std::thread> threads_;
};

std::string config(int loops, bool reuseport, bool more) {
  const std::string tail = reuseport ? " reuseport;" : ";";
  return "worker_processes " + std::to_string(loops) + ";\nevents {}\nhttp { root %%DIR%%; ssl_certificate a.crt; ssl_certificate_key a.key;\n"
         "server { listen 127.0.0.1:%%PORT_0%%" + tail + " } server { listen 127.0.0.1:%%PORT_1%% ssl" + tail + " }\n" +
         (more ? "server { listen 127.0.0.9:%%PORT_0%%; }" : "") + "}";
}

}  // namespace

TEST_CASE("reloads under load lose nothing, whatever happens to loops, sockets and addresses") {
  const auto made = make_certificate({"localhost"});
  Server s(config(2, true, true), {{"file", std::string(Load::kSize, 'f')}, {"a.crt", made.certificate}, {"a.key", made.key}});
  Load plain(s.port(0), 4, false), tls(s.port(1), 2, true);
  for (int i = 0; i < 12; ++i) {
    INFO("reload " << i);
    const int told = plain.told() + tls.told();
    REQUIRE(s.reload(config(1 + i % 4, i % 3 != 0, i % 2 == 0)));
    REQUIRE(wait_until([&] { return plain.told() + tls.told() > told || !plain.failure().empty(); }));
    REQUIRE(plain.failure() == "");
    REQUIRE(tls.failure() == "");
  }
  plain.stop();
  tls.stop();
  CHECK(plain.failure() == "");
  CHECK(tls.failure() == "");
  CHECK(plain.answered() > 12);
}
