// The time that bytes earn at a minimum rate.
#include "seawall/server/earned_time.h"

#include "catch.h"

using seawall::earned_time;

TEST_CASE("bytes earn time at the rate") {
  CHECK(earned_time(0, 500) == 0);
  CHECK(earned_time(250, 500) == 500);
  CHECK(earned_time(1001, 1000) == 1001);
  CHECK(earned_time(1, 3) == 333);
}

TEST_CASE("whatever was transferred, it is a year at most") {
  constexpr std::int64_t year = 365ll * 24 * 3600 * 1000;
  CHECK(earned_time(UINT64_MAX, 1) == year);
  CHECK(earned_time(UINT64_MAX, 1) < INT64_MAX / 1'000'000);
  CHECK(earned_time(INT64_MAX, INT64_MAX) == 1000);
}

TEST_CASE("ten seconds are allowed in any case") {
  CHECK(seawall::allowed_time(0, 500) == 10'000'000'000);
  CHECK(seawall::allowed_time(5000, 500) == 10'000'000'000);
  CHECK(seawall::allowed_time(10'000, 500) == 20'000'000'000);
}
