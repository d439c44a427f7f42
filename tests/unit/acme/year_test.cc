// A year of renewals, with all that the client does but for the waits: real keys, signatures, requests over HTTP, certificates and
// files. The clock is the test's.
#include "attempt.h"
#include "catch.h"
#include "scripted_ca.h"

using namespace seawall::acme;
using namespace test;

namespace {

// What Keeper does by the clock: a certificate is due when both times have come.
class Year {
 public:
  explicit Year(std::int64_t life) {
    ca.life = life;
    ca.tokens = &site.tokens;
  }
  // Until `end`; `away`: of the CA.
  void run(std::int64_t end, bool away = false) {
    ca.say_at("/dir", away ? std::optional<Said>(Said{503, "", {}}) : std::nullopt);
    while (clock->now() < end) {
      const Status status = site.status();
      const auto facts = site.facts();
      const std::int64_t due = std::max(facts ? status.renew_at : 0, status.next_try);
      if (due > clock->now()) {
        clock->set(std::min(due, end));
        continue;
      }
      if (facts) shortest = std::min(shortest, facts->not_after - clock->now());
      ++tries;
      attempt(site.certificate, site.tokens, site.stop);
    }
  }

  std::shared_ptr<TestClock> clock = std::make_shared<TestClock>();
  ScriptedCa ca{clock};
  Site site{ca, clock};
  const std::int64_t begin = clock->now();
  int tries = 0;
  std::int64_t shortest = 1000 * kDay;  // that a certificate had left when its successor was asked for
};

}  // namespace

TEST_CASE("a year with certificates of 90 days takes six or seven, and each is there long before the last one ends") {
  Year year(90 * kDay);
  year.run(year.begin + 365 * kDay);
  CHECK(year.ca.issued() >= 6);
  CHECK(year.ca.issued() <= 7);
  CHECK(year.tries == year.ca.issued());
  CHECK(year.shortest >= 29 * kDay);
  CHECK(year.site.facts()->not_after > year.clock->now());
}

TEST_CASE("a quarter with certificates of 6 days takes about twenty-three") {
  Year year(6 * kDay);
  year.run(year.begin + 91 * kDay);
  CHECK(year.ca.issued() >= 23);
  CHECK(year.ca.issued() <= 25);
  CHECK(year.shortest >= 2 * kDay - 1);
}

TEST_CASE("a CA that is away when the renewal is due is asked less and less, and the certificate still comes in time") {
  Year year(90 * kDay);
  year.run(year.begin + 50 * kDay);
  REQUIRE(year.ca.issued() == 1);
  year.run(year.begin + 75 * kDay, true);
  CHECK(year.tries > 10);
  CHECK(year.tries < 60);
  year.run(year.begin + 77 * kDay);
  CHECK(year.ca.issued() == 2);
  CHECK(year.site.facts()->not_after > year.clock->now() + 80 * kDay);
  CHECK(year.site.status().failures == 0);
}

TEST_CASE("a clock that jumps back a year keeps no renewal from coming") {
  Year year(90 * kDay);
  year.run(year.begin + 10 * kDay);
  REQUIRE(year.ca.issued() == 1);
  year.clock->advance(-365 * kDay);
  year.run(year.begin - 350 * kDay);
  CHECK(year.ca.issued() == 1);
  year.clock->set(year.begin + 15 * kDay);
  year.run(year.begin + 70 * kDay);
  CHECK(year.ca.issued() == 2);
}
