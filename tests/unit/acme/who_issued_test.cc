// Which CA is asked: for the next certificate, when to renew, and what the new one replaces.
#include "attempt.h"
#include "catch.h"
#include "scripted_ca.h"

using namespace seawall::acme;
using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

class World {
 public:
  World() { site.add_fallback(second); }
  std::shared_ptr<TestClock> clock = std::make_shared<TestClock>();
  ScriptedCa first{clock}, second{clock};
  Site site{first, clock};
  Attempted attempt() { return seawall::acme::attempt(site.certificate, site.tokens, site.stop); }
  void fail(ScriptedCa& ca) { ca.say_at("/order", Said{500, "", {}}); }
};

bool says_replaces(const ScriptedCa& ca) {
  const auto orders = ca.payloads("/order");
  for (auto one = orders.rbegin(); one != orders.rend(); ++one)
    if (one->contains("identifiers")) return one->contains("replaces");
  return false;
}

}  // namespace

TEST_CASE("a certificate of the fallback CA is renewed there, and there is asked when") {
  World w;
  w.second.directory = w.first.directory = Json{{"renewalInfo", w.second.url("/ari")}};
  w.fail(w.first);
  for (int i = 0; i < 3; ++i) CHECK(!w.attempt().pair);
  REQUIRE(w.attempt().pair);
  CHECK(w.site.status().issued_by == "second");
  CHECK(w.second.issued() == 1);
  w.first.say_at("/order", std::nullopt);
  ask_renewal_time(w.site.certificate, *w.site.facts(), w.site.stop);
  CHECK(w.second.count("/ari/") == 1);
  const int asked = w.first.count("/");
  REQUIRE(w.attempt().pair);
  CHECK(w.second.issued() == 2);
  CHECK(w.first.count("/") == asked);
  CHECK(says_replaces(w.second));
  w.fail(w.second);
  for (int i = 0; i < 3; ++i) CHECK(!w.attempt().pair);
  REQUIRE(w.attempt().pair);
  CHECK(w.site.status().issued_by == "first");
}

TEST_CASE("a certificate that this account did not get is not named as replaced") {
  World w;
  w.first.directory = Json{{"renewalInfo", w.first.url("/ari")}};
  REQUIRE(w.attempt().pair);
  CHECK(!says_replaces(w.first));
  REQUIRE(w.attempt().pair);
  CHECK(says_replaces(w.first));
  w.site.certificate.store().remove(w.site.certificate.status_file());  // as import-certbot leaves it
  ask_renewal_time(w.site.certificate, *w.site.facts(), w.site.stop);
  CHECK(w.first.count("/ari/") == 0);
  REQUIRE(w.attempt().pair);
  CHECK(!says_replaces(w.first));
  w.first.say_at("/account", Said{201, "{}", {"Location: " + w.first.url("/account/2")}});  // another account
  w.site.issuer.store->remove("account.json");
  REQUIRE(w.attempt().pair);
  CHECK(!says_replaces(w.first));
}

TEST_CASE("a CA that refuses an order for what it replaces is asked without") {
  for (const std::string type : {"alreadyReplaced", "malformed", "conflict"}) {
    INFO(type);
    World w;
    w.first.directory = Json{{"renewalInfo", w.first.url("/ari")}};
    REQUIRE(w.attempt().pair);
    w.first.refuse_replaces = type;
    REQUIRE(w.attempt().pair);
    CHECK(!says_replaces(w.first));
    CHECK(w.first.issued() == 2);
  }
}

TEST_CASE("a CA that wants to be left alone does not keep the other one from its turn") {
  World w;
  w.first.say_at("/order", Said{429, problem("rateLimited", "enough"), {"Retry-After: 100000"}});
  const Attempted refused = w.attempt();
  CHECK(refused.status.next_try <= w.clock->now() + 75);
  const int asked = w.first.count("/");
  REQUIRE(w.attempt().pair);
  CHECK(w.second.issued() == 1);
  CHECK(w.first.count("/") == asked);
}

TEST_CASE("an order is gone on with at the CA that has it, and not asked for again while that wants to be left alone") {
  World w;
  w.first.say_at("/finalize/", Said{500, "", {}});
  CHECK(!w.attempt().pair);
  CHECK(!w.site.status().order.empty());
  CHECK(w.site.status().order_issuer == "first");
  w.first.say_at("/order/", Said{429, problem("rateLimited", "enough"), {"Retry-After: 1"}});
  const int orders = w.first.count("/order");
  CHECK(!w.attempt().pair);
  CHECK(w.first.count("/order") == orders + 1);
  w.first.say_at("/order/", std::nullopt);
  w.first.say_at("/finalize/", std::nullopt);
  w.clock->advance(5);
  REQUIRE(w.attempt().pair);
  CHECK(w.first.issued() == 2);  // the one that failed, and this
  CHECK(w.site.status().issued_by == "first");
}
