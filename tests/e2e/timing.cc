// See timing.h.
#include "e2e/timing.h"

#include <poll.h>

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "catch.h"

namespace test {

Clock::duration time_without_processor() {
  const std::string text = read_file("/proc/pressure/cpu"), mark = "some ";
  const auto total = text.find("total=", text.find(mark));
  return std::chrono::microseconds(total == text.npos ? 0 : std::strtoll(text.c_str() + total + 6, nullptr, 10));
}

void Stopwatch::check() const {
  const auto busy = std::chrono::duration_cast<std::chrono::milliseconds>(time_without_processor() - busy_);
  const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start_);
  const auto limit = std::chrono::duration_cast<std::chrono::milliseconds>(limit_);
  CHECK(passed + kTurn >= limit);
  CHECK(passed.count() <= std::chrono::duration_cast<std::chrono::milliseconds>(at_the_latest(limit)).count() + busy.count());
}

bool drip(RawClient& client, std::string_view bytes, Clock::duration pause) {
  for (const char& byte : bytes) {
    client.send({&byte, 1});
    pollfd answer{client.fd(), POLLIN, 0};
    if (::poll(&answer, 1, left_until(Clock::now() + pause)) != 0) return false;
  }
  return true;
}

bool wait_until(const std::function<bool()>& check, Clock::duration within) {
  const auto deadline = Clock::now() + within;
  while (!check()) {
    if (Clock::now() > deadline) return false;
    ::poll(nullptr, 0, 5);
  }
  return true;
}

pid_t serving_process(const Server& server) {
  const std::string mark = "start worker process ";
  REQUIRE(server.wait_for_log(mark + "[0-9]+"));
  const auto log = server.error_log();
  return pid_t(std::strtol(log.c_str() + log.rfind(mark) + mark.size(), nullptr, 10));
}

int open_descriptors(pid_t pid) {
  int n = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) ++n;
  return n;
}

int settled_descriptors(pid_t pid) {
  int last = -1, same = 0;
  REQUIRE(wait_until([&] {
    const int now = open_descriptors(pid);
    same = std::exchange(last, now) == now ? same + 1 : 0;
    return same == 10;
  }));
  return last;
}

}  // namespace test
