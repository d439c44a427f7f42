// What a CA chooses and we use: tokens, names, addresses, sizes, depths, times. A CA that is somebody else's by now must get no further
// than an error in the log.
#include "attempt.h"
#include "catch.h"
#include "client.h"
#include "scripted_ca.h"

using namespace seawall::acme;
using namespace test;
using Catch::Matchers::ContainsSubstring;

using World = OneCa;

TEST_CASE("a certificate comes from a CA that keeps to the rules") {
  World w;
  w.ca.tokens = &w.site.tokens;
  REQUIRE(w.attempt().pair);
  CHECK(w.site.facts()->not_after == w.clock->now() + 90 * kDay);
  CHECK(w.site.status().issued_by == "first");
  CHECK(w.site.status().issued_to == w.ca.url("/account/1"));
  CHECK(w.site.status().order.empty());
}

TEST_CASE("a token that is not base64url is neither answered nor given to a hook") {
  for (const std::string& token : std::vector<std::string>{"", "../../etc/passwd", "a b", "a\nb", "$(id)", std::string(300, 'a')}) {
    INFO(token);
    World w;
    w.ca.token = token;
    CHECK_THAT(w.attempt().status.error, ContainsSubstring("the CA's token for \"a.example.test\" is not base64url"));
    CHECK(w.ca.count("/challenge/") == 0);
  }
}

TEST_CASE("a name that nobody has asked for is not proved") {
  for (const std::string name : {"b.example.test", "x,DNS:victim.test", "$(id)", "", "*.example.test"}) {
    INFO(name);
    World w;
    w.ca.authorization = Json{{"identifier", Json{{"type", "dns"}, {"value", name}}}};
    CHECK_THAT(w.attempt().status.error, ContainsSubstring("which nobody has asked for"));
    CHECK(w.ca.count("/challenge/") == 0);
  }
}

TEST_CASE("a CA's names may be written in capitals, and a wildcard's without its star") {
  World w;
  w.ca.authorization = Json{{"identifier", Json{{"type", "dns"}, {"value", "A.Example.TEST"}}}};
  CHECK(w.attempt().pair);
}

TEST_CASE("over TLS a CA may not send us to plain HTTP, and nowhere else than to HTTP") {
  World w;
  w.site.issuer.uri = "https://localhost/dir";
  Stop stop;
  Client client(w.site.issuer, stop);
  for (const std::string url : {"http://127.0.0.1/a", "file:///etc/passwd", "gopher://x", "ftp://x", "//x", "", "https://a b", "https://a\r\nb"}) {
    INFO(url);
    CHECK_THROWS_WITH(client.get(url), ContainsSubstring("which is not used"));
  }
  CHECK_THROWS_WITH(client.get("https://a/" + std::string(3000, 'a')), ContainsSubstring("which is not used"));
}

TEST_CASE("addresses in the answers of a CA are looked at, too") {
  World directory;
  directory.ca.directory = Json{{"newOrder", "file:///etc/passwd"}};
  CHECK_THAT(directory.attempt().status.error, ContainsSubstring("names the address \"file:///etc/passwd\", which is not used"));
  World order;
  order.ca.order = Json{{"authorizations", Json::array({"file:///etc/passwd"})}};
  CHECK_THAT(order.attempt().status.error, ContainsSubstring("which is not used"));
  World account;
  account.ca.say_at("/account", Said{201, "{}", {"Location: gopher://x/1"}});
  CHECK_THAT(account.attempt().status.error, ContainsSubstring("which is not used"));
  CHECK(!account.site.issuer.store->read("account.json"));
}

TEST_CASE("a CA's JSON may not be deep, long or of other types than it should be") {
  const std::string open(100'000, '['), close(100'000, ']');
  const std::vector<std::string> bodies{open, open + close, "{\"a\":" + open + close + "}", std::string(2 << 20, ' '), "[1]",
                                        "{\"status\":{},\"meta\":7,\"identifier\":[]}", "null", "\"\\"};
  for (const char* path : {"/dir", "/account", "/order", "/authorization/", "/certificate/"})
    for (const std::string& body : bodies) {
      INFO(path << " " << body.substr(0, 40));
      World w;
      w.ca.say_at(path, Said{200, body});
      CHECK(!w.attempt().status.error.empty());
      CHECK(!w.site.facts());
    }
}

TEST_CASE("a head of a CA's answer without end is broken off") {
  World w;
  Said said;
  said.fields.assign(2000, "X-Padding: " + std::string(100, 'x'));
  w.ca.say_at("/dir", said);
  CHECK_THAT(w.attempt().status.error, ContainsSubstring("/dir is too long"));
}

TEST_CASE("what a CA says of an error comes into one line of visible characters, of bounded length") {
  World w;
  w.ca.say_at("/order", Said{403, problem("unauthorized", "no\n\x1b[2Jway \u00e4" + std::string(5000, 'x'))});
  const std::string error = w.attempt().status.error;
  CHECK_THAT(error, ContainsSubstring("no ?[2Jway ??xxx"));
  CHECK(error.size() < 1100);
  CHECK(w.site.status().error == error);
}

TEST_CASE("Retry-After is obeyed within bounds") {
  const auto next_after = [](const std::string& field) {
    World w;
    w.ca.say_at("/order", Said{429, problem("rateLimited", "enough"), {"Retry-After: " + field}});
    return w.attempt().status.next_try - w.clock->now();
  };
  CHECK(next_after("3600") == 3600);
  for (const std::string field : {"-5", "nan", "soon", "0", "Thu, 01 Jan 1970 00:00:00 GMT"}) {
    INFO(field);
    CHECK(next_after(field) >= 45);
    CHECK(next_after(field) <= 75);
  }
  for (const std::string field : {"99999999999", "18446744073709551615", "Fri, 31 Dec 9999 23:59:59 GMT"}) {
    INFO(field);
    CHECK(next_after(field) == 7 * kDay);
  }
}

TEST_CASE("the CA's window for a renewal is obeyed within the certificate's life") {
  const auto renewal_in = [](const std::string& start, const std::string& end) {
    World w;
    w.ca.directory = Json{{"renewalInfo", w.ca.url("/ari")}};
    REQUIRE(w.attempt().pair);
    w.clock->advance(kDay);
    w.ca.say_at("/ari", Said{200, Json{{"suggestedWindow", Json{{"start", start}, {"end", end}}}}.dump(), {"Retry-After: 99999999"}});
    const Status status = ask_renewal_time(w.site.certificate, *w.site.facts(), w.site.stop);
    CHECK(w.ca.count("/ari/") == 1);
    CHECK(status.ask_again == w.clock->now() + kDay);
    return status.renew_at - (w.clock->now() - kDay);  // since it was issued
  };
  CHECK(renewal_in("1970-01-01T00:00:00Z", "1970-01-02T00:00:00Z") == 600);
  CHECK(renewal_in("9999-12-31T00:00:00Z", "9999-12-31T23:59:59Z") == 81 * kDay);
  for (const std::string nonsense : {"nan", "-1", "0000-00-00T00:00:00Z", ""}) {
    INFO(nonsense);
    const std::int64_t time = renewal_in(nonsense, "9999-12-31T23:59:59Z");
    CHECK(time >= 600);
    CHECK(time <= 81 * kDay);
  }
}

TEST_CASE("a chain that does not match is not used, and what was there stays") {
  World w;
  REQUIRE(w.attempt().pair);
  const std::string before = w.site.facts()->serial;
  w.ca.foreign_chain = true;
  CHECK_THAT(w.attempt().status.error, ContainsSubstring("the CA's chain does not match"));
  CHECK(w.site.facts()->serial == before);
  w.ca.foreign_chain = false;
  REQUIRE(w.attempt().pair);
  CHECK(w.site.facts()->serial != before);
}

TEST_CASE("a CA that wants more proofs than anybody has names gets none") {
  World w;
  Json urls = Json::array();
  for (int i = 0; i < 300; ++i) urls.push_back(w.ca.url("/authorization/1"));
  w.ca.order = Json{{"authorizations", urls}};
  CHECK_THAT(w.attempt().status.error, ContainsSubstring("far too many"));
}
