// A client that ends its direction in the middle of a PROXY header: more will never come, and asking the socket again
// does not wait.
#include "e2e/raw_client.h"
#include "e2e/server.h"

#include "catch.h"

using namespace std::chrono_literals;
using namespace test;

TEST_CASE("half a PROXY header and a FIN close the connection and hold nobody up") {
  Server s(R"(
    server { listen 127.0.0.1:%%PORT_0%% proxy_protocol; listen 127.0.0.1:%%PORT_1%%; return 200 ok; }
  )");
  for (const std::string half : {"PROXY TCP4 1.2.3.4", "PROXY", "\r\n\r\n"}) {
    RawClient broken(s.port(0));
    broken.send(half);
    broken.half_close();
    CHECK(broken.expect_close(10s));
  }
  RawClient other(s.port(1));
  other.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(other.read_response().status == 200);
}
