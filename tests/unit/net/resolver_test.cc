#include "seawall/net/resolver.h"

#include "catch.h"
#include "unit/loop_runner.h"

using namespace seawall;
using namespace std::chrono_literals;

TEST_CASE("valid= of a resolver keeps no failure for longer than failures are kept") {
  test::LoopRunner runner;
  NameServers conf;
  conf.servers.push_back(*Address::parse("127.0.0.1:9"));  // nobody is asked for a name that is none
  conf.valid = 3600s;
  const auto ask = [&]() -> Task<void> {
    Resolver resolver(runner.loop, conf);
    const Resolved first = co_await resolver.resolve("a..b", Deadline::in(5s, Wait::connect));
    CHECK(first.error == 3);
    CHECK(!first.was_known);
    CHECK(first.expires <= runner.loop.now() + std::chrono::nanoseconds(10s).count());
    const Resolved again = co_await resolver.resolve("a..b", Deadline::in(5s, Wait::connect));
    CHECK(again.error == 3);
    CHECK(again.was_known);
  };
  runner.run(ask());
}
