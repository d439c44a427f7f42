// valid_referers and $invalid_referer.
#include "catch.h"
#include "e2e/curl.h"
#include "e2e/server.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

// One server, one location a list.
class Pages {
 public:
  explicit Pages(const std::string& referers)
      : s("server { listen 127.0.0.1:%%PORT_0%%; server_name own.test *.own.test ~^re\\d$; valid_referers " + referers +
          "; return 200 \"<$invalid_referer>\"; }") {}
  bool takes(const std::string& referer) const {
    const std::string body = get(s.url(), {"Referer: " + referer}).body;
    REQUIRE((body == "<>" || body == "<1>"));
    return body == "<>";
  }
  bool takes_none() const { return get(s.url()).body == "<>"; }

 private:
  Server s;
};

}  // namespace

TEST_CASE("a referer is known by its host, and by how its path begins") {
  const Pages p("www.example.org part.example.org/uri");
  for (const char* url : {"http://www.example.org", "https://WWW.example.org/x", "http://www.example.org:8080/x",
                          "http://part.example.org/uri", "http://part.example.org:80/uriii"})
    CHECK(p.takes(url));
  for (const char* url : {"http://example.org/", "www.example.org", "http://part.example.org/", "http://part.example.org",
                          "http://part.example.org/Uri", "ftp://www.example.org/", "http://www.example.org.evil.test/"})
    CHECK_FALSE(p.takes(url));
  CHECK_FALSE(p.takes_none());
}

TEST_CASE("none and blocked referers") {
  const Pages none("none www.example.org"), blocked("blocked www.example.org");
  CHECK(none.takes_none());
  CHECK_FALSE(none.takes("x"));
  CHECK(blocked.takes("x"));
  CHECK(blocked.takes("www.other.test"));
  CHECK_FALSE(blocked.takes("http://www.other.test"));
  CHECK_FALSE(blocked.takes_none());
}

TEST_CASE("wildcards, regexes and the server's own names") {
  const Pages wild("*.example.com example.* .both.test www.deep.example.com/only");
  CHECK(wild.takes("http://a.b.example.com/"));
  CHECK(wild.takes("http://example.net/"));
  CHECK(wild.takes("http://both.test/"));
  CHECK(wild.takes("http://x.both.test/"));
  CHECK_FALSE(wild.takes("http://www.deep.example.com/"));  // the exact name holds
  CHECK_FALSE(wild.takes("http://xexample.com/"));
  const Pages regex("~example\\.org/uri ~(?-i)Case");
  CHECK(regex.takes("http://www.eXample.org/URI"));
  CHECK_FALSE(regex.takes("http://case.test/"));
  const Pages own("server_names");
  CHECK(own.takes("http://own.test/"));
  CHECK(own.takes("http://www.OWN.test/x"));
  CHECK(own.takes("http://re7/"));
  CHECK_FALSE(own.takes("http://rex/"));
}

TEST_CASE("valid_referers refuses what makes no sense") {
  const auto said = [](const char* words) { return check_config(std::string("server { valid_referers ") + words + "; }").err; };
  CHECK_THAT(said("none blocked"), ContainsSubstring("the \"none\" or \"blocked\" referers are specified in the \"valid_referers\" "
                                                     "directive without any valid referer in "));
  CHECK_THAT(said("*.a.*"), ContainsSubstring("invalid hostname or wildcard \"*.a.*\" in "));
  CHECK_THAT(said("a.test A.test/x"), ContainsSubstring("conflicting parameter \"A.test\" in "));
  CHECK_THAT(said("~"), ContainsSubstring("empty regex in \"~\" in "));
  CHECK_THAT(said("\"\""), ContainsSubstring("invalid referer \"\" in "));
}
