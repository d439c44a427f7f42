// What `seawall acme test` finds out about a name, as far as that needs no DNS of our own.
#include "name_check.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "catch.h"
#include "seawall/base/fd.h"

using namespace seawall::acme;
using Catch::Matchers::ContainsSubstring;

namespace {

// A port of 127.0.0.1 that is taken, and where nobody listens until listen().
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
  void listen() { REQUIRE(::listen(fd_.get(), 5) == 0); }
  int number = 0;

 private:
  seawall::Fd fd_;
};

}  // namespace

TEST_CASE("a port that is closed, and one that is open") {
  Port port;
  std::vector<std::string> findings;
  NameCheck check("127.0.0.1", findings);
  check.check_addresses(port.number, "the answer of http-01");
  REQUIRE(findings.size() == 1);
  CHECK_THAT(findings[0],
             ContainsSubstring("of 127.0.0.1 is closed (Connection refused), where the CA looks for the answer of http-01: "
                               "let a server listen there"));
  findings.clear();
  port.listen();
  check.check_addresses(port.number, "the answer of http-01");
  CHECK(findings.empty());
}

TEST_CASE("a name that nobody knows, and one without an HTTP server") {
  Port port;
  std::vector<std::string> findings;
  NameCheck("no-such-name.invalid", findings).check_addresses(port.number, "x");
  REQUIRE(findings.size() == 1);
  CHECK_THAT(findings[0], ContainsSubstring("no-such-name.invalid: has no address in the DNS ("));
  NameCheck("127.0.0.1", findings).check_plain_answer(port.number);
  REQUIRE(findings.size() == 2);
  CHECK_THAT(findings[1], ContainsSubstring("no answer over plain HTTP (") && ContainsSubstring("is the server running?"));
}
