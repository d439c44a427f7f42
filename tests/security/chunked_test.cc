// Chunked request bodies that are nearly right.
#include "security/attack.h"

using namespace test;
using namespace std::string_literals;

namespace {

std::string chunked(std::string_view body) { return post_with("Transfer-Encoding: chunked\r\n", std::string(body) + kSmuggled); }

}  // namespace

TEST_CASE("chunk lines that end in a bare LF") {
  refuses({chunked("5\nhello\r\n0\r\n\r\n"), chunked("5\r\nhello\n0\r\n\r\n"), chunked("5\r\nhello\r\n0\n\r\n"),
           chunked("5\r\nhello\r\n0\r\n\n"), chunked("5;a=b\nhello\r\n0\r\n\r\n"), chunked("5\nhello\n0\n\n")});
}

TEST_CASE("chunk lines with a bare CR") {
  refuses({chunked("5\rhello\r\n0\r\n\r\n"), chunked("5\r\r\nhello\r\n0\r\n\r\n"), chunked("5\r\nhello\r0\r\n\r\n"),
           chunked("5;a\rb\r\nhello\r\n0\r\n\r\n")});
}

TEST_CASE("chunk sizes with a sign, spaces or a prefix") {
  refuses({chunked("+5\r\nhello\r\n0\r\n\r\n"), chunked("-5\r\nhello\r\n0\r\n\r\n"), chunked(" 5\r\nhello\r\n0\r\n\r\n"),
           chunked("5 \r\nhello\r\n0\r\n\r\n"), chunked("5\t\r\nhello\r\n0\r\n\r\n"), chunked("0x5\r\nhello\r\n0\r\n\r\n"),
           chunked("5 5\r\nhello\r\n0\r\n\r\n"), chunked("5_0\r\nhello\r\n0\r\n\r\n"), chunked("g\r\nhello\r\n0\r\n\r\n"),
           chunked("\r\n5\r\nhello\r\n0\r\n\r\n"), chunked("5,5\r\nhello\r\n0\r\n\r\n"), chunked("5.\r\nhello\r\n0\r\n\r\n")});
}

TEST_CASE("a chunk size that overflows") {
  refuses({chunked("FFFFFFFFFFFFFFFF5\r\nhello\r\n0\r\n\r\n"), chunked("10000000000000005\r\nhello\r\n0\r\n\r\n"),
           chunked("FFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n"), chunked("8000000000000000\r\nhello\r\n0\r\n\r\n"),
           chunked("00000000000000005\r\nhello\r\n0\r\n\r\n")});
}

TEST_CASE("a chunk that is longer or shorter than it says") {
  refuses({chunked("5\r\nhelloX\r\n0\r\n\r\n"), chunked("5\r\nhelloXX0\r\n\r\n"), chunked("6\r\nhello\r\n0\r\n\r\n"),
           chunked("4\r\nhello\r\n0\r\n\r\n")});
}

TEST_CASE("chunk extensions with control bytes, without a name or behind a space") {
  refuses({chunked("5;\x01\r\nhello\r\n0\r\n\r\n"), chunked("5;a=\x7f\r\nhello\r\n0\r\n\r\n"),
           chunked("5;\r\nhello\r\n0\r\n\r\n"), chunked("5 ;a\r\nhello\r\n0\r\n\r\n"),
           chunked("5;a\0b\r\nhello\r\n0\r\n\r\n"s), chunked("5;a=\"x\ny\"\r\nhello\r\n0\r\n\r\n")});
}

TEST_CASE("chunk extensions that pass are dropped") {
  Server s(with_probe(kTarget));
  const Response r = answered(s, post_with("Transfer-Encoding: chunked\r\n", "5;a=b;c=\"d; e\"\r\nhello\r\n0;end\r\n\r\n"));
  CHECK(r.body == "hello");
}

TEST_CASE("a chunk extension without end") {
  refuses({chunked("5;a=" + std::string(9000, 'x') + "\r\nhello\r\n0\r\n\r\n")});
}

TEST_CASE("extensions that outweigh the data, chunk after chunk") {
  std::string body;
  for (int i = 0; i < 40; ++i) body += "1;a=" + std::string(1000, 'x') + "\r\ny\r\n";
  refuses({chunked(body + "0\r\n\r\n")});
}

TEST_CASE("a body of one byte a chunk is taken") {
  Server s(with_probe(kTarget));
  std::string body;
  for (int i = 0; i < 5000; ++i) body += "1\r\ny\r\n";
  CHECK(answered(s, post_with("Transfer-Encoding: chunked\r\n", body + "0\r\n\r\n")).body == std::string(5000, 'y'));
}

TEST_CASE("trailers without end") {
  std::string body = "5\r\nhello\r\n0\r\n";
  for (int i = 0; i < 1000; ++i) body += "X-" + std::to_string(i) + ": some value\r\n";
  refuses({chunked(body + "\r\n")});
}

TEST_CASE("trailers with a space before the colon, folded, without a name, with control bytes or a bare LF") {
  refuses({chunked("0\r\nA : b\r\n\r\n"), chunked("0\r\nA: b\r\n c\r\n\r\n"), chunked("0\r\n A: b\r\n\r\n"),
           chunked("0\r\n: b\r\n\r\n"), chunked("0\r\nA\r\n\r\n"), chunked("0\r\nA: \x01\r\n\r\n"), chunked("0\r\nA: b\n\r\n"),
           chunked("0\r\nA: b\rc\r\n\r\n"), chunked("0\r\nA: b\r\n\n")});
}

TEST_CASE("trailers that would frame, route or authorize a message are dropped, others are known") {
  Server s(with_probe(kTarget));
  const Response r = answered(s, post_with("Transfer-Encoding: chunked\r\n",
      "5\r\nhello\r\n0\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\nHost: evil\r\nAuthorization: x\r\nCookie: y\r\n"
      "Connection: close\r\nX-Forwarded-For: 10.0.0.1\r\nX-Checksum: 42\r\n\r\n"));
  CHECK(r.status == 200);
  CHECK(r.body == "hello");
  CHECK(r.header("X-Trailer-X-Checksum") == "42");
  CHECK(r.head.find("X-Trailer") == r.head.find("X-Trailer-X-Checksum"));
}

TEST_CASE("a bad chunk in a body nobody reads ends the connection behind the response") {
  Server s(with_probe(kTarget));
  RawClient c(s.port());
  c.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n" + kSmuggled);
  CHECK(c.read_response().body == "served a /");
  CHECK(c.read_all() == "");
  check_honest(s);
}
