#include "seawall/config/regex.h"

#include "catch.h"
#include "seawall/config/tree.h"

using namespace seawall;

TEST_CASE("a match captures groups by number and by name") {
  const auto regex = Regex::compile("^/(?<user>\\w+)/(x)?(.*)$");
  Captures captures;
  REQUIRE(regex->match("/ann/file", &captures) == Regex::Outcome::matched);
  CHECK(captures.get(0) == "/ann/file");
  CHECK(captures.get(1) == "ann");
  CHECK_FALSE(captures.has(2));
  CHECK(captures.get(3) == "file");
  CHECK(captures.get(9).empty());
  CHECK(regex->names().at(0) == std::pair<std::string, int>("user", 1));
}

TEST_CASE("captures outlive their subject, and a failed match leaves them") {
  const auto regex = Regex::compile("(a+)");
  Captures captures;
  {
    std::string subject(100, 'a');
    REQUIRE(regex->match(subject, &captures) == Regex::Outcome::matched);
    subject.assign(100, 'b');
  }
  CHECK(captures.get(1) == std::string(100, 'a'));
  CHECK(regex->match("b", &captures) == Regex::Outcome::no_match);
  CHECK(captures.get(1).size() == 100);
}

TEST_CASE("case counts unless it is said not to") {
  CHECK(Regex::compile("\\.GIF$")->match("/a.gif") == Regex::Outcome::no_match);
  CHECK(Regex::compile("\\.GIF$", true)->match("/a.gif") == Regex::Outcome::matched);
}

TEST_CASE("a pattern that backtracks without end is stopped") {
  const auto regex = Regex::compile("^(a|aa)*(a|aa)*(a|aa)*$");
  CHECK(regex->match(std::string(300, 'a') + "b") == Regex::Outcome::failed);
}

TEST_CASE("a bad pattern is refused in nginx's words") {
  CHECK_THROWS_WITH(Regex::compile("a(b"), "pcre2_compile() failed: missing closing parenthesis in \"a(b\"");
  CHECK_THROWS_WITH(Regex::compile("a)b"), "pcre2_compile() failed: unmatched closing parenthesis in \"a)b\" at \")b\"");
  CHECK_THROWS_AS(Regex::compile("*"), ConfigError);
}
