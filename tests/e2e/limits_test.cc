// What the events block bounds.
#include "catch.h"
#include "e2e/raw_client.h"
#include "e2e/server.h"

using namespace test;

TEST_CASE("worker_connections bounds a loop: the connection that has been idle longest gives way") {
  Server s("events { worker_connections 2; } http { server { listen 127.0.0.1:%%PORT_0%%; return 200 ok; } }");
  const std::string request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  RawClient first(s.port()), second(s.port());
  for (RawClient* c : {&first, &second}) {
    c->send(request);
    REQUIRE(c->read_response().status == 200);
  }
  RawClient third(s.port());
  third.send(request);
  REQUIRE(third.read_response().status == 200);
  REQUIRE(first.expect_close(kPatience));
  second.send(request);
  REQUIRE(second.read_response().status == 200);
}

TEST_CASE("a second events block is refused") {
  const auto run = check_config("events {} events {} http {}");
  REQUIRE(run.exit_code == 1);
  REQUIRE_THAT(run.err, Catch::Matchers::ContainsSubstring("\"events\" directive is duplicate in"));
}
