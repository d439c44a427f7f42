#include "seawall/server/ocsp_fetch.h"

#include <sys/socket.h>
#include <netinet/in.h>

#include "seawall/net/address.h"
#include "unit/loop_runner.h"

using namespace seawall;
using namespace std::chrono_literals;

TEST_CASE("an OCSP responder that says nothing has what is left of the whole time, not one of its own") {
  const Fd silent(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::bind(silent.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0);
  REQUIRE(::listen(silent.get(), 1) == 0);
  const auto address = Address::local_of(silent.get());
  REQUIRE(address.has_value());
  test::LoopRunner runner;
  const auto ask = [](Address to) -> Task<void> {
    const Deadline last = Deadline::in(50ms, Wait::upstream_read);
    const Result<std::string> first = co_await ask_ocsp_responder(to, "GET / HTTP/1.0\r\n\r\n", last);
    CHECK(first.error() == Errc::timed_out);
    CHECK(last.passed());
    const Result<std::string> second = co_await ask_ocsp_responder(to, "GET / HTTP/1.0\r\n\r\n", last);
    CHECK(second.error() == Errc::timed_out);
  };
  runner.run(ask(*address));
}
