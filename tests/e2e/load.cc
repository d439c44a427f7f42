#include "e2e/load.h"

#include <stdexcept>

namespace test {

Load::Load(int port, int clients, bool tls) : port_(port), tls_(tls) {
  for (int i = 0; i < clients; ++i) threads_.emplace_back([this] { run(); });
}

void Load::stop() {
  stopping_ = true;
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

std::string Load::failure() {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void Load::run() {
  try {
    while (!stopping_) one_connection();
  } catch (const std::exception& error) {
    const std::lock_guard lock(mutex_);
    failure_ = error.what();
  }
}

void Load::one_connection() {
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

}  // namespace test
