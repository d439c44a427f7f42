// When certificates are renewed and tried again: a year of it, by arithmetic alone; year_test.cc does all of it.
#include "schedule.h"

#include "catch.h"

using namespace seawall::acme;

namespace {

constexpr std::int64_t kDay = 24 * 3600;

}  // namespace

TEST_CASE("a certificate is renewed at two thirds of its life, or up to a twentieth of it before") {
  CHECK(renewal_time(0, 90 * kDay, 0) == 60 * kDay);
  CHECK(renewal_time(0, 90 * kDay, 0.999) >= 55 * kDay);
  CHECK(renewal_time(100, 100, 0.5) == 100);
}

TEST_CASE("a year of certificates of 90 days takes six or seven, whatever the chance, and none ever expires") {
  for (double chance = 0; chance < 1; chance += 0.1) {
    std::int64_t now = 0, until = 0;
    int orders = 0;
    while (now < 365 * kDay) {
      until = now + 90 * kDay;
      ++orders;
      now = renewal_time(now, until, chance);
      CHECK(now < until - 29 * kDay);
    }
    CHECK(orders >= 6);
    CHECK(orders <= 7);
  }
}

TEST_CASE("a CA that is away for a year is asked less and less, never in a tight loop") {
  std::int64_t now = 0;
  int tries = 0;
  while (now < 365 * kDay) {
    const std::int64_t pause = pause_after(++tries, 60, kDay, 0);
    CHECK(pause >= 45);
    now += pause;
  }
  CHECK(tries > 365);
  CHECK(tries < 520);
  CHECK(pause_after(1, 60, kDay, 0.5) == 60);
  CHECK(pause_after(1000, 60, kDay, 0.5) == kDay);
  CHECK(pause_after(5, 10, 5, 0.5) == 5);
}

TEST_CASE("the CA's window") {
  CHECK(time_in_window(100, 200, 0.5) == 150);
  CHECK(time_in_window(200, 100, 0.5) == 200);
  CHECK(latest_renewal(0, 90 * kDay) == 81 * kDay);
  CHECK(latest_renewal(100, 50) == 50);
  CHECK(seconds_of_rfc3339("1970-01-02T00:00:00Z") == kDay);
  CHECK(seconds_of_rfc3339("1970-01-02T00:00:00.123Z") == kDay);
  CHECK(seconds_of_rfc3339("1970-01-02T01:00:00+01:00") == kDay);
  CHECK(seconds_of_rfc3339("1970-01-01T23:00:00-01:00") == kDay);
  CHECK(!seconds_of_rfc3339("tomorrow"));
  CHECK(!seconds_of_rfc3339("nan"));
  CHECK(!seconds_of_rfc3339("1970-01-02T00:00:00"));
}
