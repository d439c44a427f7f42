#include "seawall/net/dns_answer.h"

#include "catch.h"

using namespace seawall;

namespace {

// A head, the question "a.b", and records whose name is the question's.
class Message {
 public:
  Message() : text_(std::string("\x00\x01\x81\x80\x00\x01\x00\x00\x00\x00\x00\x00", 12) + std::string("\x01" "a\x01" "b\x00\x00\x01\x00\x01", 9)) {}
  Message& add(int type, std::uint32_t ttl, const std::string& data) {
    ++text_[7];
    text_ += "\xc0\x0c";
    for (const std::size_t n : {std::size_t(type), std::size_t{1}, std::size_t{ttl >> 16}, std::size_t{ttl & 0xffff}, data.size()})
      text_.append({static_cast<char>(n >> 8), static_cast<char>(n)});
    text_ += data;
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

const std::string kLocal("\x7f\x00\x00\x01", 4);

}  // namespace

TEST_CASE("addresses, aliases and services are read, with the shortest time to live of those that count") {
  const auto a = DnsAnswer::parse(Message().add(5, 7, std::string("\x01" "c\xc0\x0e", 4)).add(1, 60, kLocal).add(16, 1, "text").text(), DnsType::a);
  REQUIRE(a);
  REQUIRE(a->addresses.size() == 1);
  CHECK(a->addresses[0].text() == "127.0.0.1");
  CHECK(a->alias == "c.b");
  CHECK(a->ttl == 7);
  const auto srv = DnsAnswer::parse(Message().add(33, 9, std::string("\x00\x01\x00\x02\x1f\x90\x01h\x00", 9)).text(), DnsType::srv);
  REQUIRE(srv);
  REQUIRE(srv->services.size() == 1);
  const ServiceRecord& one = srv->services[0];
  CHECK(one.priority == 1);
  CHECK(one.weight == 2);
  CHECK(one.port == 8080);
  CHECK(one.host == "h");
}

TEST_CASE("of another kind than asked for nothing is taken, and a time to live below zero is none") {
  const auto aaaa = DnsAnswer::parse(Message().add(1, 60, kLocal).text(), DnsType::aaaa);
  REQUIRE(aaaa);
  CHECK(aaaa->addresses.empty());
  const auto a = DnsAnswer::parse(Message().add(1, 0x80000000u, kLocal).text(), DnsType::a);
  REQUIRE(a);
  CHECK(a->ttl == 0);
}

TEST_CASE("a message that ends too early, or has data of another length, is none") {
  const std::string whole = Message().add(1, 60, kLocal).add(5, 1, std::string("\xc0\x0c", 2)).text();
  for (std::size_t size = 0; size < whole.size(); ++size) CHECK_FALSE(DnsAnswer::parse(whole.substr(0, size), DnsType::a));
  CHECK(DnsAnswer::parse(whole, DnsType::a));
  CHECK_FALSE(DnsAnswer::parse(Message().add(1, 60, "abc").text(), DnsType::a));
  CHECK_FALSE(DnsAnswer::parse(Message().add(33, 60, "abcdef").text(), DnsType::srv));
  CHECK_FALSE(DnsAnswer::parse(Message().add(5, 60, "\xc0\xff").text(), DnsType::a));
}
