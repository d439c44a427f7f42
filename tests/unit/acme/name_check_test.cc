// What `seawall acme test` finds out about a name, as far as that needs no DNS of our own; the rest is in tests/e2e.
#include "name_check.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "catch.h"
#include "seawall/base/fd.h"

using namespace seawall::acme;
using Catch::Matchers::ContainsSubstring;

namespace {

// A port of 127.0.0.1 that is taken, and where nobody listens.
class Port {
 public:
  Port() : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    number = ntohs(address.sin_port);
  }
  int number = 0;

 private:
  seawall::Fd fd_;
};

}  // namespace

TEST_CASE("a name without an HTTP server") {
  const Port port;
  std::vector<std::string> findings;
  NameCheck("127.0.0.1", {}, findings).check_plain_answer(port.number);
  REQUIRE(findings.size() == 1);
  CHECK_THAT(findings[0], ContainsSubstring("no answer over plain HTTP (") && ContainsSubstring("is the server running?"));
}

TEST_CASE("a DNS that nobody answers for is not a name without an address") {
  const Port port;
  std::vector<std::string> findings;
  NameCheck("a.test", seawall::Address::parse("127.0.0.1", static_cast<std::uint16_t>(port.number)), findings).check_addresses(80, "x");
  REQUIRE(findings.size() == 1);
  CHECK_THAT(findings[0], ContainsSubstring("a.test: the DNS does not answer ("));
}
