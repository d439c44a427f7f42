// The error log's lines: whole, escaped, of bounded length.
#include "seawall/log/log.h"

#include <climits>
#include <map>
#include <sstream>
#include <thread>
#include <vector>

#include "catch.h"

using namespace seawall;
using Catch::Matchers::EndsWith;
using Catch::Matchers::Matches;

namespace {

class Lines final : public LogSink {
 public:
  void write(Level, std::string_view line) override { all.emplace_back(line); }
  std::vector<std::string> all;
};

// What is written for this message at this level.
std::string line_of(std::string_view message, std::uint64_t connection = 0) {
  auto lines = std::make_shared<Lines>();
  LogTarget target;
  target.sink = lines;
  log({target}, Level::error, connection, message);
  REQUIRE(lines->all.size() == 1);
  return lines->all.front();
}

}  // namespace

TEST_CASE("a line of the error log has nginx's form") {
  CHECK_THAT(line_of("open() failed"), Matches(R"(\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[error\] \d+#\d+: open\(\) failed\n)"));
  CHECK_THAT(line_of("x", 7), EndsWith(": *7 x\n"));
}

TEST_CASE("control characters of a message are escaped") {
  CHECK_THAT(line_of("a\nb\x1b[0m\x7f\tc"), EndsWith(": a\\x0Ab\\x1B[0m\\x7F\\x09c\n"));
}

TEST_CASE("a line is never longer than what a pipe takes whole") {
  for (const char* part : {"a", "\x01"}) {
    std::string message;
    for (int i = 0; i < 10'000; ++i) message += part;
    const std::string line = line_of(message);
    CHECK(line.size() <= PIPE_BUF);
    CHECK(line.size() > PIPE_BUF - 16);
    CHECK_THAT(line, EndsWith("...\n"));
  }
}

TEST_CASE("every target gets the lines of its level and above") {
  auto all = std::make_shared<Lines>(), some = std::make_shared<Lines>();
  LogTarget info, error;
  info.sink = all;
  info.level = Level::info;
  error.sink = some;
  for (Level level : {Level::info, Level::warn, Level::error, Level::emerg, Level::debug}) log({info, error}, level, 0, "x");
  CHECK(all->all.size() == 4);
  CHECK(some->all.size() == 2);
}
