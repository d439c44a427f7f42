// The directive geo.
#include "catch.h"
#include "e2e/curl.h"
#include "e2e/server.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string site(std::string_view rows, std::string_view source = "$arg_ip") {
  return std::string("geo ").append(source).append(" $place { ").append(rows).append(
      " } server { listen 127.0.0.1:%%PORT_0%%; server_name site.test; location / { return 200 \"[$place]\"; } }");
}

std::string place(const Server& s, const std::string& ip) { return get(s.url("/?ip=" + ip)).body; }
std::string refused(const std::string& rows) { return check_config(site(rows)).err; }

}  // namespace

TEST_CASE("geo takes the smallest network, whatever the order") {
  Server s(site("default none; 10.1.0.0/16 b; 10.0.0.0/8 a; 10.1.2.0/24 c; 10.1.2.3 d; 10.255.255.255/32 last; 2001:db8::/32 six; "
                "2001:db8:1::/48 inner; ffff::/16 end;"));
  CHECK(place(s, "10.0.0.0") == "[a]");
  CHECK(place(s, "10.0.255.255") == "[a]");
  CHECK(place(s, "10.1.0.0") == "[b]");
  CHECK(place(s, "10.1.2.2") == "[c]");
  CHECK(place(s, "10.1.2.3") == "[d]");
  CHECK(place(s, "10.1.2.4") == "[c]");
  CHECK(place(s, "10.1.3.0") == "[b]");
  CHECK(place(s, "10.2.0.0") == "[a]");
  CHECK(place(s, "10.255.255.254") == "[a]");
  CHECK(place(s, "10.255.255.255") == "[last]");
  CHECK(place(s, "11.0.0.0") == "[none]");
  CHECK(place(s, "9.255.255.255") == "[none]");
  CHECK(place(s, "2001:db8::1") == "[six]");
  CHECK(place(s, "2001:db8:1::1") == "[inner]");
  CHECK(place(s, "2001:db8:1:ffff:ffff:ffff:ffff:ffff") == "[inner]");
  CHECK(place(s, "2001:db8:2::1") == "[six]");
  CHECK(place(s, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff") == "[end]");
  CHECK(place(s, "::1") == "[none]");
  CHECK(place(s, "::ffff:10.1.2.3") == "[d]");
  CHECK(place(s, "words") == "[none]");
}

TEST_CASE("geo knows both ends of all addresses, and what is none") {
  Server s(site("0.0.0.0/0 all; 255.255.255.255 highest; ::/0 six;"));
  CHECK(place(s, "0.0.0.0") == "[all]");
  CHECK(place(s, "255.255.255.254") == "[all]");
  CHECK(place(s, "255.255.255.255") == "[highest]");
  CHECK(place(s, "words") == "[highest]");
  CHECK(place(s, "") == "[highest]");
  CHECK(place(s, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff") == "[six]");
}

TEST_CASE("geo asks the client's own address without a source") {
  Server s(site("127.0.0.1 here; default elsewhere;", ""));
  CHECK(place(s, "") == "[here]");
}

TEST_CASE("geo believes the X-Forwarded-For of proxies") {
  const std::string rows = "127.0.0.1 proxy; 192.0.2.1 one; 192.0.2.2 two; 10.0.0.1 inner; default none; proxy 127.0.0.1; proxy 10.0.0.0/8;";
  const auto asked = [](const Server& s, const std::string& field) { return get(s.url("/"), {"X-Forwarded-For: " + field}).body; };
  Server once(site(rows, ""));
  CHECK(asked(once, "192.0.2.1") == "[one]");
  CHECK(asked(once, "192.0.2.2, 192.0.2.1") == "[one]");
  CHECK(asked(once, "192.0.2.2, 10.0.0.1") == "[inner]");
  CHECK(asked(once, "nonsense") == "[proxy]");
  CHECK(get(once.url("/")).body == "[proxy]");
  Server recursive(site(rows + " proxy_recursive;", ""));
  CHECK(asked(recursive, "192.0.2.2, 10.0.0.1") == "[two]");
  CHECK(asked(recursive, "192.0.2.2, 192.0.2.1, 10.0.0.1") == "[one]");
  CHECK(asked(recursive, "nonsense, 10.0.0.1") == "[inner]");
  CHECK(get(recursive.url("/"), {"X-Forwarded-For: 192.0.2.1", "X-Forwarded-For: 10.0.0.1"}).body == "[one]");
}

TEST_CASE("geo with ranges: one inside another divides it") {
  Server s(site("ranges; default none; 10.0.0.0-10.0.255.255 a; 10.0.1.0-10.0.1.9 b; 10.0.0.0-10.0.0.0 first; 10.0.255.255-10.0.255.255 last; "
                "11.0.0.0-11.0.0.9 gone; delete 11.0.0.0-11.0.0.9; 0.0.0.0-0.0.0.9 zero;"));
  CHECK(place(s, "10.0.0.0") == "[first]");
  CHECK(place(s, "10.0.0.1") == "[a]");
  CHECK(place(s, "10.0.1.0") == "[b]");
  CHECK(place(s, "10.0.1.9") == "[b]");
  CHECK(place(s, "10.0.1.10") == "[a]");
  CHECK(place(s, "10.0.255.254") == "[a]");
  CHECK(place(s, "10.0.255.255") == "[last]");
  CHECK(place(s, "10.1.0.0") == "[none]");
  CHECK(place(s, "11.0.0.5") == "[none]");
  CHECK(place(s, "0.0.0.9") == "[zero]");
}

TEST_CASE("geo replaces and deletes with warnings") {
  const Run ran = check_config(site("10.0.0.0/8 a; 10.0.0.0/8 b; delete 11.0.0.0/8; 10.0.0.1/8 c; default x; default y;"));
  CHECK_THAT(ran.err, ContainsSubstring("duplicate network \"10.0.0.0/8\", value: \"b\", old value: \"a\""));
  CHECK_THAT(ran.err, ContainsSubstring("no network \"11.0.0.0/8\" to delete"));
  CHECK_THAT(ran.err, ContainsSubstring("low address bits of 10.0.0.1/8 are meaningless"));
  CHECK_THAT(ran.err, ContainsSubstring("duplicate default geo value: \"y\", old value: \"x\""));
  CHECK_THAT(ran.err, ContainsSubstring("test is successful"));
  Server s(site("10.0.0.0/8 a; 10.1.0.0/16 b; delete 10.1.0.0/16;"));
  CHECK(place(s, "10.1.0.1") == "[a]");
  CHECK(place(s, "11.0.0.1") == "[]");
}

TEST_CASE("geo is refused in nginx's words") {
  CHECK_THAT(refused("10.0.0.300 a;"), ContainsSubstring("invalid network \"10.0.0.300\""));
  CHECK_THAT(refused("10.0.0.0/33 a;"), ContainsSubstring("invalid network \"10.0.0.0/33\""));
  CHECK_THAT(refused("ranges; 10.0.0.0/8 a;"), ContainsSubstring("invalid range \"10.0.0.0/8\""));
  CHECK_THAT(refused("ranges; 10.0.0.9-10.0.0.1 a;"), ContainsSubstring("invalid range \"10.0.0.9-10.0.0.1\""));
  CHECK_THAT(refused("ranges; 10.0.0.0-10.0.0.9 a; 10.0.0.5-10.0.0.15 b;"), ContainsSubstring("range \"10.0.0.5-10.0.0.15\" overlaps \"10.0.0.0-10.0.0.9\""));
  CHECK_THAT(refused("ranges; 10.0.0.5-10.0.0.9 a; 10.0.0.0-10.0.0.15 b;"), ContainsSubstring("overlaps \"10.0.0.5-10.0.0.9\""));
  CHECK_THAT(refused("10.0.0.0/8 a; ranges;"), ContainsSubstring("the \"ranges\" directive must be the first directive inside \"geo\" block"));
  CHECK_THAT(refused("10.0.0.0/8 a b;"), ContainsSubstring("invalid number of the geo parameters"));
}
