// error_log rate=: so many lines of a kind in a time, and a word about the others.
#include "seawall/log/log_limit.h"

#include "catch.h"

using namespace seawall;

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

int taken(LogLimit& limit, const std::string& message, int times, std::int64_t now) {
  int n = 0;
  for (int i = 0; i < times; ++i) n += limit.takes(Level::error, message, now);
  return n;
}

}  // namespace

TEST_CASE("so many lines of a kind go in a time, and as many in the next") {
  LogLimit limit(3, kSecond);
  CHECK(taken(limit, "a", 10, 1) == 3);
  CHECK(taken(limit, "b", 2, 2) == 2);
  CHECK(taken(limit, "a", 10, kSecond + 1) == 3);
}

TEST_CASE("a kind is the message without numbers and what is quoted") {
  LogLimit limit(2, kSecond);
  int n = 0;
  for (int i = 0; i < 10; ++i) n += limit.takes(Level::error, "open() \"/" + std::string(i, 'x') + "\" failed (" + std::to_string(i) + ")", 1);
  CHECK(n == 2);
  CHECK(limit.takes(Level::error, "stat() \"/x\" failed (2)", 1));
}

TEST_CASE("crit and worse always go") {
  LogLimit limit(1, kSecond);
  for (int i = 0; i < 5; ++i) CHECK(limit.takes(Level::crit, "disk", 1));
}

TEST_CASE("what was left out is told once, when its time is over") {
  LogLimit limit(2, kSecond);
  taken(limit, "no live upstreams", 7, 1);
  CHECK(limit.take_left_out(2).empty());
  const auto told = limit.take_left_out(kSecond + 2);
  REQUIRE(told.size() == 1);
  CHECK(told[0].level == Level::error);
  CHECK(told[0].text == "5 more lines were left out like: no live upstreams");
  CHECK(limit.take_left_out(3 * kSecond).empty());
  CHECK(taken(limit, "no live upstreams", 3, 4 * kSecond) == 2);
}

TEST_CASE("who makes up kinds gets no more lines than a bound") {
  LogLimit limit(1, kSecond);
  int n = 0;
  for (int i = 0; i < 1000; ++i) {
    std::string kind;
    for (int digit = i; digit > 0 || kind.empty(); digit /= 10) kind += char('a' + digit % 10);
    n += taken(limit, kind, 5, 1);
  }
  CHECK(n == 65);
}
