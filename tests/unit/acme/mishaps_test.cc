// What a try that comes to nothing leaves behind: wishes, orders, pauses, what the CA has asked for.
#include <algorithm>
#include <filesystem>

#include "attempt.h"
#include "catch.h"
#include "scripted_ca.h"

using namespace seawall::acme;
using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

class World : public OneCa {
 public:
  Store& store = site.certificate.store();
  int orders() const {
    const auto all = ca.payloads("/order");
    return static_cast<int>(std::count_if(all.begin(), all.end(), [](const Json& one) { return one.contains("identifiers"); }));
  }
};

}  // namespace

TEST_CASE("a wish whose first try fails is not forgotten") {
  World w;
  REQUIRE(w.attempt().pair);
  w.clock->advance(kDay);
  w.store.write(w.site.certificate.wish_file(), "");
  w.ca.say_at("/order", Said{500, "", {}});
  CHECK(!w.attempt().pair);
  CHECK(!w.store.read(w.site.certificate.wish_file()));
  CHECK(w.site.status().renew_at <= w.clock->now());
  CHECK(w.site.status().next_try <= w.clock->now() + 120);
  w.ca.say_at("/order", std::nullopt);
  REQUIRE(w.attempt().pair);
  CHECK(w.site.status().renew_at > w.clock->now() + 50 * kDay);
}

TEST_CASE("a window that the CA suggests does not put off what is being renewed") {
  World w;
  w.ca.directory = Json{{"renewalInfo", w.ca.url("/ari")}};
  REQUIRE(w.attempt().pair);
  w.store.write(w.site.certificate.wish_file(), "");
  w.ca.say_at("/order", Said{500, "", {}});
  CHECK(!w.attempt().pair);
  const Json window{{"suggestedWindow", Json{{"start", "9999-12-31T00:00:00Z"}, {"end", "9999-12-31T23:59:59Z"}}}};
  w.ca.say_at("/ari", Said{200, window.dump(), {}});
  CHECK(ask_renewal_time(w.site.certificate, *w.site.facts(), w.site.stop).renew_at <= w.clock->now());
}

TEST_CASE("an order that the CA does not show for a while is not lost, and neither is its key") {
  World w;
  w.ca.say_at("/finalize/", Said{500, "", {}});
  CHECK(!w.attempt().pair);
  const auto key = w.store.read(w.site.certificate.key_file());
  REQUIRE(key);
  w.ca.say_at("/order/", Said{500, "", {}});
  CHECK(!w.attempt().pair);
  CHECK(w.store.read(w.site.certificate.key_file()) == key);
  w.ca.say_at("/order/", std::nullopt);
  w.ca.say_at("/finalize/", std::nullopt);
  REQUIRE(w.attempt().pair);
  CHECK(w.orders() == 1);
}

TEST_CASE("an order that is gone, or that the CA never shows again, is made anew") {
  World gone;
  gone.ca.say_at("/finalize/", Said{500, "", {}});
  CHECK(!gone.attempt().pair);
  gone.ca.say_at("/finalize/", std::nullopt);
  gone.ca.say_at("/order/1", Said{404, problem("malformed", "no such order"), {}});
  CHECK(gone.attempt().pair);
  CHECK(gone.orders() == 2);
  World broken;
  broken.ca.say_at("/finalize/", Said{500, "", {}});
  CHECK(!broken.attempt().pair);
  broken.ca.say_at("/finalize/", std::nullopt);
  broken.ca.say_at("/order/1", Said{500, "", {}});
  int tries = 0;
  while (!broken.attempt().pair && tries < 10) ++tries;
  CHECK(tries == 3);
  CHECK(broken.orders() == 2);
}

TEST_CASE("a CA that gives no nonce may say when it will") {
  World w;
  w.ca.say_at("/nonce", Said{429, problem("rateLimited", "enough"), {"Retry-After: 3600"}});
  const Status status = w.attempt().status;
  CHECK(status.error == "HTTP status 429");
  CHECK(status.next_try == w.clock->now() + 3600);
}

TEST_CASE("what is wished for while the CA rests is told so, and the CA is not asked") {
  World w;
  w.ca.say_at("/order", Said{429, problem("rateLimited", "enough"), {"Retry-After: 3600"}});
  CHECK(!w.attempt().pair);
  const int asked = w.ca.count("/");
  w.store.write(w.site.certificate.wish_file(), "");
  CHECK_THAT(w.attempt().status.error, ContainsSubstring("has asked to be left alone"));
  CHECK(w.ca.count("/") == asked);
  w.ca.say_at("/order", std::nullopt);
  w.clock->advance(3601);
  CHECK(w.attempt().pair);
}

TEST_CASE("pauses are short where the present certificate has little time left") {
  World w;
  w.ca.life = 6 * kDay;
  REQUIRE(w.attempt().pair);
  w.ca.say_at("/order", Said{500, "", {}});
  w.clock->advance(4 * kDay);
  for (int i = 0; i < 12; ++i) {
    const Status status = w.attempt().status;
    CHECK(status.next_try - w.clock->now() <= 2 * kDay / 8);
  }
  CHECK(w.site.status().next_try - w.clock->now() == 2 * kDay / 8);
}

TEST_CASE("a status that cannot be read for once is not written over") {
  World w;
  REQUIRE(w.attempt().pair);
  const std::string file = w.site.issuer.state_path + "/" + w.site.certificate.status_file();
  std::filesystem::rename(file, file + ".away");
  std::filesystem::create_symlink(file + ".away", file);
  const Attempted attempted = w.attempt();
  CHECK(!attempted.pair);
  CHECK(attempted.status.next_try > w.clock->now());
  CHECK(std::filesystem::is_symlink(file));
  std::filesystem::rename(file + ".away", file);
  CHECK(w.site.status().issued_by == "first");
}
