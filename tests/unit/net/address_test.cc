#include "seawall/net/address.h"

#include <unistd.h>

#include <filesystem>
#include <unordered_set>

#include "catch.h"
#include "seawall/base/fd.h"

using namespace seawall;

namespace {

std::string round_trip(std::string_view text, std::uint16_t default_port = 0) {
  const auto address = Address::parse(text, default_port);
  return address ? address->text_with_port() : "none";
}

}  // namespace

TEST_CASE("addresses are read with and without a port") {
  CHECK(round_trip("127.0.0.1:8080") == "127.0.0.1:8080");
  CHECK(round_trip("127.0.0.1", 80) == "127.0.0.1:80");
  CHECK(round_trip("[::1]:80") == "[::1]:80");
  CHECK(round_trip("[::1]", 443) == "[::1]:443");
  CHECK(round_trip("::1", 443) == "[::1]:443");
  CHECK(round_trip("[2001:DB8:0:0::1]:65535") == "[2001:db8::1]:65535");
  CHECK(round_trip("unix:/run/app.sock") == "unix:/run/app.sock");
  CHECK(round_trip("UNIX:relative") == "unix:relative");
}

TEST_CASE("what is no numeric address is refused") {
  for (const char* text : {"", ":80", "localhost", "localhost:80", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.4:",
                           "1.2.3.4:0",
                           "1.2.3.4:65536", "1.2.3.4:8a", "1.2.3.4:-1", "[::1", "[::1]80", "[::1]:", "[1.2.3.4]:80",
                           "[]", "[]:80", "::g", "unix:", "1.2.3.4%lo", "::1%", "::1%nosuchinterface", "fe80::1%0"})
    CHECK(round_trip(text) == "none");
  CHECK(round_trip(std::string_view("1.2.3.4\0", 8)) == "none");
  CHECK(round_trip("unix:" + std::string(108, 'a')) == "none");
  CHECK(round_trip("unix:" + std::string(107, 'a')) == "unix:" + std::string(107, 'a'));
}

TEST_CASE("text is nginx's $remote_addr, binary its $binary_remote_addr") {
  CHECK(Address::parse("10.0.0.1:5")->text() == "10.0.0.1");
  CHECK(Address::parse("[::1]:5")->text() == "::1");
  CHECK(Address::parse("::ffff:10.0.0.1")->text() == "::ffff:10.0.0.1");
  CHECK(Address::parse("10.0.0.1")->binary() == std::string("\x0a\0\0\1", 4));
  CHECK(Address::parse("::1")->binary() == std::string(15, '\0') + '\1');
  CHECK(Address::parse("unix:/a")->binary() == "unix:/a");
  CHECK(Address::from_bytes(Address::parse("2001:db8::7")->binary(), 9)->text_with_port() == "[2001:db8::7]:9");
  CHECK(Address::from_bytes(std::string("\x7f\0\0\1", 4), 1)->text_with_port() == "127.0.0.1:1");
  CHECK_FALSE(Address::from_bytes("12345", 1));
}

TEST_CASE("a scope names the interface and stays out of the text") {
  const auto by_number = Address::parse("[fe80::1%1]:80");
  REQUIRE(by_number);
  CHECK(by_number->text_with_port() == "[fe80::1]:80");
  CHECK(reinterpret_cast<const sockaddr_in6*>(by_number->data())->sin6_scope_id == 1);
  CHECK_FALSE(*by_number == *Address::parse("[fe80::1%2]:80"));
  CHECK(Address::parse_ip("fe80::1%lo"));
}

TEST_CASE("equality is family, host and port, same_host ignores the port") {
  const auto a = *Address::parse("127.0.0.1:80");
  CHECK(a == *Address::parse("127.0.0.1", 80));
  CHECK_FALSE(a == *Address::parse("127.0.0.1:81"));
  CHECK(a.same_host(*Address::parse("127.0.0.1:81")));
  CHECK_FALSE(a.same_host(*Address::parse("[::ffff:127.0.0.1]:80")));
  CHECK(*Address::parse("unix:/a") == *Address::parse("unix:/a"));
  CHECK_FALSE(*Address::parse("unix:/a") == *Address::parse("unix:/ab"));
  CHECK(Address() == Address());
  CHECK(Address().empty());
  CHECK(Address().text().empty());
  CHECK(a.with_port(9).port() == 9);
  std::unordered_set<Address> set{a, *Address::parse("127.0.0.1", 80), a.with_port(81), *Address::parse("::1", 80)};
  CHECK(set.size() == 3);
}

TEST_CASE("wildcards") {
  CHECK(Address::any_ipv4(80).is_wildcard());
  CHECK(Address::any_ipv4(80).text_with_port() == "0.0.0.0:80");
  CHECK(Address::parse("[::]:80")->is_wildcard());
  CHECK_FALSE(Address::parse("127.0.0.1:80")->is_wildcard());
  CHECK_FALSE(Address::parse("unix:/a")->is_wildcard());
}

TEST_CASE("the addresses of both ends of a socket") {
  Fd listener(socket(AF_INET, SOCK_STREAM, 0)), client(socket(AF_INET, SOCK_STREAM, 0));
  const auto loopback = Address::parse("127.0.0.1:0").value_or(*Address::parse("127.0.0.1"));
  REQUIRE(bind(listener.get(), loopback.data(), loopback.size()) == 0);
  REQUIRE(listen(listener.get(), 1) == 0);
  const auto bound = Address::local_of(listener.get());
  REQUIRE(bound);
  CHECK(bound->port() != 0);
  REQUIRE(connect(client.get(), bound->data(), bound->size()) == 0);
  CHECK(*Address::peer_of(client.get()) == *bound);
  CHECK(Address::peer_of(listener.get()).error() == std::errc::not_connected);
}

TEST_CASE("a unix client is unnamed: nginx calls it unix:") {
  const auto folder = std::filesystem::temp_directory_path() / ("address_test." + std::to_string(getpid()));
  std::filesystem::create_directory(folder);
  const auto name = *Address::unix_path((folder / "s").string());
  Fd listener(socket(AF_UNIX, SOCK_STREAM, 0)), client(socket(AF_UNIX, SOCK_STREAM, 0));
  REQUIRE(bind(listener.get(), name.data(), name.size()) == 0);
  REQUIRE(listen(listener.get(), 1) == 0);
  REQUIRE(connect(client.get(), name.data(), name.size()) == 0);
  Fd accepted(accept(listener.get(), nullptr, nullptr));
  CHECK(*Address::local_of(accepted.get()) == name);
  CHECK(Address::local_of(accepted.get())->path() == (folder / "s").string());
  CHECK(Address::peer_of(accepted.get())->text() == "unix:");
  std::filesystem::remove_all(folder);
}
