// Busy: a client that keeps a server at work, for as long as it lives.
#pragma once
#include <atomic>
#include <string>
#include <thread>

#include "catch.h"
#include "e2e/curl.h"

namespace test {

class Busy {
 public:
  explicit Busy(std::string url) : thread_([this, url = std::move(url)] {
      Curl curl;
      Request request;
      request.url = url;
      try {
        while (!stop_) curl.fetch(request);
      } catch (const std::exception& error) {
        failure_ = error.what();
      }
    }) {}
  ~Busy() {
    stop_ = true;
    thread_.join();
    CHECK(failure_.empty());
  }

 private:
  std::string failure_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace test
