#include "seawall/net/cidr.h"

#include "catch.h"

using namespace seawall;

namespace {

bool within(std::string_view range, std::string_view address) {
  const auto cidr = Cidr::parse(range);
  REQUIRE(cidr);
  return cidr->contains(*Address::parse(address));
}

}  // namespace

TEST_CASE("a range contains what shares its prefix") {
  CHECK(within("192.0.2.0/24", "192.0.2.255"));
  CHECK_FALSE(within("192.0.2.0/24", "192.0.3.0"));
  CHECK(within("10.0.0.0/9", "10.127.255.255"));
  CHECK_FALSE(within("10.0.0.0/9", "10.128.0.0"));
  CHECK(within("0.0.0.0/0", "203.0.113.9"));
  CHECK(within("2001:db8::/33", "2001:db8:7fff::1"));
  CHECK_FALSE(within("2001:db8::/33", "2001:db8:8000::1"));
  CHECK(within("::/0", "::1"));
}

TEST_CASE("a single address is a range of one") {
  CHECK(within("127.0.0.1", "127.0.0.1:80"));
  CHECK_FALSE(within("127.0.0.1", "127.0.0.2"));
  CHECK(within("::1/128", "::1"));
  CHECK_FALSE(within("::1", "::2"));
}

TEST_CASE("families are not mixed, but for IPv4 inside IPv6") {
  CHECK_FALSE(within("0.0.0.0/0", "::1"));
  CHECK_FALSE(within("::/0", "127.0.0.1"));
  CHECK(within("192.0.2.0/24", "[::ffff:192.0.2.7]:80"));
  CHECK_FALSE(within("::/0", "[::ffff:192.0.2.7]:80"));
  CHECK(within("unix:", "unix:/run/a.sock"));
  CHECK_FALSE(within("unix:", "127.0.0.1"));
  CHECK_FALSE(within("0.0.0.0/0", "unix:/run/a.sock"));
  CHECK_FALSE(Cidr::parse("0.0.0.0/0")->contains(Address()));
}

TEST_CASE("bits behind the prefix are zeros, and noticed") {
  CHECK(within("192.0.2.77/24", "192.0.2.1"));
  CHECK(Cidr::parse("192.0.2.77/24")->had_low_bits());
  CHECK(Cidr::parse("2001:db8::1/64")->had_low_bits());
  CHECK_FALSE(Cidr::parse("192.0.2.0/24")->had_low_bits());
  CHECK_FALSE(Cidr::parse("192.0.2.77")->had_low_bits());
}

TEST_CASE("what is no range") {
  for (const char* text : {"", "all", "localhost", "192.0.2.0/", "192.0.2.0/33", "::/129", "192.0.2.0/24/8", "192.0.2.0/-1",
                           "192.0.2.0/24x", "/8", "unix:/run/a.sock", "fe80::1%1", "[::1]", "127.0.0.1:80"})
    CHECK_FALSE(Cidr::parse(text));
}
