// Times, sizes and how values are written in tables.
#include "catch.h"
#include "seawall/config/directive.h"

using namespace seawall;
using namespace std::chrono_literals;

TEST_CASE("times: digits with units from large to small, a bare number is seconds") {
  CHECK(time_of("0") == 0ms);
  CHECK(time_of("30") == 30s);
  CHECK(time_of("500ms") == 500ms);
  CHECK(time_of("30s") == 30s);
  CHECK(time_of("5m") == 5min);
  CHECK(time_of("1h") == 1h);
  CHECK(time_of("1d") == 24h);
  CHECK(time_of("1w") == 7 * 24h);
  CHECK(time_of("1M") == 30 * 24h);
  CHECK(time_of("1y") == 365 * 24h);
  CHECK(time_of("1h30m") == 90min);
  CHECK(time_of("1h 30m 15s") == 90min + 15s);
  CHECK(time_of("1m30") == 90s);
  CHECK(time_of("1s500ms") == 1500ms);
  CHECK(time_of("off") == 0ms);
}

TEST_CASE("what is no time") {
  for (const char* word : {"", "s", "-1", "1x", "1.5s", " 1", "1 s", "30m1h", "1s1s", "10 20", "m5", "1S", "1H",
                           "99999999999999999999", "9999999999999y", "100y"})
    CHECK(time_of(word) == std::nullopt);
}

TEST_CASE("sizes: bytes, k, m and g in either case") {
  CHECK(size_of("0") == 0);
  CHECK(size_of("512") == 512);
  CHECK(size_of("8k") == 8192);
  CHECK(size_of("8K") == 8192);
  CHECK(size_of("1m") == 1048576);
  CHECK(size_of("2G") == 2147483648);
  CHECK(size_of("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("what is no size") {
  for (const char* word : {"", "k", "-1", "1t", "1kb", "1.5m", "1 k", "9223372036854775808", "9007199254740992k"})
    CHECK(size_of(word) == std::nullopt);
}

TEST_CASE("defaults are written as a user would write them") {
  CHECK(text_of(true) == "on");
  CHECK(text_of(std::int64_t{8192}) == "8k");
  CHECK(text_of(std::int64_t{1000}) == "1000");
  CHECK(text_of(std::int64_t{3 << 20}) == "3m");
  CHECK(text_of(std::chrono::milliseconds(75s)) == "75s");
  CHECK(text_of(std::chrono::milliseconds(60s)) == "1m");
  CHECK(text_of(std::chrono::milliseconds(90s)) == "90s");
  CHECK(text_of(std::chrono::milliseconds(2h)) == "2h");
  CHECK(text_of(1500ms) == "1500ms");
  CHECK(text_of(0ms) == "0");
  CHECK(text_of(std::vector<std::string>{"a", "b"}) == "a b");
}
