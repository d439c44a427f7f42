// Request smuggling: two parsers that disagree about where a body ends. Anything that could be read in two ways is refused.
#include "security/attack.h"

using namespace test;
using namespace std::string_literals;

TEST_CASE("Content-Length together with Transfer-Encoding") {
  refuses({post_with("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + kSmuggled),
           post_with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n" + kSmuggled),
           post_with("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + kSmuggled)});
}

TEST_CASE("Content-Length twice, even with the same value") {
  refuses({post_with("Content-Length: 0\r\nContent-Length: 36\r\n", kSmuggled),
           post_with("Content-Length: 5\r\nContent-Length: 5\r\n", "hello" + kSmuggled)});
}

TEST_CASE("a list in Content-Length") {
  refuses({post_with("Content-Length: 5, 5\r\n", "hello" + kSmuggled), post_with("Content-Length: 0,36\r\n", kSmuggled)});
}

TEST_CASE("Content-Length that is no number") {
  refuses({post_with("Content-Length: +5\r\n", "hello"), post_with("Content-Length: -1\r\n", "hello"),
           post_with("Content-Length: 0x5\r\n", "hello"), post_with("Content-Length: 5 5\r\n", "hello"),
           post_with("Content-Length: five\r\n", "hello"), post_with("Content-Length:\r\n", "hello"),
           post_with("Content-Length: 5.0\r\n", "hello"), post_with("Content-Length: 5;\r\n", "hello"),
           post_with("Content-Length: \v5\r\n", "hello")});
}

TEST_CASE("Content-Length beyond 64 bits") {
  refuses({post_with("Content-Length: 18446744073709551621\r\n", "hello" + kSmuggled),
           post_with("Content-Length: 9223372036854775808\r\n", "hello"),
           post_with("Content-Length: 99999999999999999999999999999999\r\n", "hello")});
}

TEST_CASE("Transfer-Encoding in HTTP/1.0") {
  refuses({"POST /body HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + kSmuggled});
}

TEST_CASE("Transfer-Encoding twice") {
  refuses({post_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + kSmuggled),
           post_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n" + kSmuggled)});
}

TEST_CASE("transfer codings other than chunked") {
  Server s(with_probe(kTarget));
  for (const char* coding : {"chunked, chunked", "chunked, identity"})
    check_refused(s, post_with("Transfer-Encoding: "s + coding + "\r\n", "0\r\n\r\n" + kSmuggled));
  for (const char* coding : {"identity", "gzip, chunked", "xchunked", "chunked;q=1",
                             "\"chunked\"", "chunked chunked", ",chunked", "chunke", "gzip"})
    check_refused(s, post_with("Transfer-Encoding: "s + coding + "\r\n", "0\r\n\r\n" + kSmuggled), "501 Not Implemented");
  check_honest(s);
}

TEST_CASE("disguises of Transfer-Encoding") {
  refuses({post_with("Transfer-Encoding : chunked\r\n", "0\r\n\r\n" + kSmuggled),
           post_with("Transfer-Encoding\t: chunked\r\n", "0\r\n\r\n" + kSmuggled),
           post_with("Transfer-Encoding: chunked\v\r\n", "0\r\n\r\n" + kSmuggled),
           post_with("Transfer-Encoding: \x01""chunked\r\n", "0\r\n\r\n" + kSmuggled),
           post_with("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n" + kSmuggled),
           post_with("Transfer-Encoding:\n chunked\r\n", "0\r\n\r\n" + kSmuggled),
           post_with("\x0bTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + kSmuggled),
           post_with(" Transfer-Encoding: chunked\r\n", "0\r\n\r\n" + kSmuggled),
           post_with("X: y\rTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + kSmuggled),
           post_with("X: y\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + kSmuggled)});
}

TEST_CASE("Transfer_Encoding with an underscore is a field nobody knows, whatever underscores_in_headers says") {
  Server s(with_probe("underscores_in_headers on;" + kTarget));
  const Response r = answered(s, post_with("Content-Length: 5\r\nTransfer_Encoding: chunked\r\n", "0\r\n\r\n"));
  CHECK(r.body == "0\r\n\r\n");
}

TEST_CASE("the case of a coding and spaces around it say nothing") {
  Server s(with_probe(kTarget));
  CHECK(answered(s, post_with("transfer-encoding: \t CHUNKED \t\r\n", "5\r\nhello\r\n0\r\n\r\n")).body == "hello");
}

TEST_CASE("a body of a GET is a body, not the next request") {
  Server s(with_probe(kTarget));
  const std::string length = std::to_string(kSmuggled.size());
  answered(s, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: " + length + "\r\n\r\n" + kSmuggled);
  answered(s, "GET /body HTTP/1.1\r\nHost: a\r\nContent-Length: " + length + "\r\n\r\n" + kSmuggled);
}

TEST_CASE("garbage behind a body is refused as a request of its own") {
  Server s(with_probe(kTarget));
  RawClient c(s.port());
  c.send(post_with("Content-Length: 5\r\n", "hello{\"json\": 1}\r\n\r\n"));
  CHECK(c.read_response().body == "hello");
  const Response r = c.read_response();
  CHECK(r.status == 400);
  CHECK(r.body == default_page("400 Bad Request"));
  CHECK(c.read_all() == "");
}

TEST_CASE("an empty line behind a body begins nothing") {
  Server s(with_probe(kTarget));
  CHECK(answered(s, post_with("Content-Length: 5\r\n", "hello\r\n")).body == "hello");
}

TEST_CASE("a body that was never asked for by 100-continue is not taken for a request") {
  Server s(with_probe(kTarget));
  RawClient c(s.port());
  c.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 36\r\n\r\n" + kSmuggled);
  CHECK(c.read_response().body == "served a /");
  CHECK(c.read_all() == "");
}
