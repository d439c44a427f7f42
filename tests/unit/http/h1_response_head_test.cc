// The head of an upstream's response.
#include "seawall/http/h1_response_head.h"

#include "catch.h"

using namespace seawall;

TEST_CASE("a response's head: status, fields and size") {
  H1ResponseHead head;
  const std::string text = "HTTP/1.0 404 Not Found\r\nA: 1\r\nB:  two words \r\n\r\nbody";
  const auto size = head.parse(text);
  REQUIRE(size);
  REQUIRE(*size);
  CHECK(**size == text.size() - 4);
  CHECK(head.status == 404);
  CHECK(head.minor_version == 0);
  CHECK(head.headers.get("b") == "two words");
}

TEST_CASE("a head that is not all here, at every length") {
  const std::string text = "HTTP/1.1 200 OK\r\nA: 1\r\n\r\n";
  for (std::size_t n = 0; n < text.size(); ++n) {
    H1ResponseHead head;
    const auto size = head.parse(std::string_view(text).substr(0, n));
    REQUIRE(size);
    CHECK_FALSE(*size);
  }
}

TEST_CASE("line ends may be bare, and the reason missing") {
  H1ResponseHead head;
  const auto size = head.parse("HTTP/1.1 200\nA: 1\n\n");
  REQUIRE(size);
  CHECK(**size == 19);
  CHECK(head.headers.get("A") == "1");
}

TEST_CASE("what is no head of HTTP/1") {
  const auto text = GENERATE(as<std::string>(), "X", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n",
                             "HTTP/1.1 099 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\n: x\r\n\r\n",
                             "HTTP/1.1 200 OK\r\nA : x\r\n\r\n", "HTTP/1.1 200 OK\r\nA: 1\r\n folded\r\n\r\n",
                             std::string("HTTP/1.1 200 OK\r\nA: \0\r\n\r\n", 25), "HTTP/1.1 200 OK\r\nA: x\ry\r\n\r\n");
  H1ResponseHead head;
  CHECK_FALSE(head.parse(text));
  CHECK_FALSE(head.complaint.empty());
}
