// Chunked bodies, whole and in every pair of pieces.
#include "seawall/http/h1_body.h"

#include "catch.h"

using namespace seawall;

namespace {

class Decoded {
 public:
  bool failed = false, done = false;
  std::string data;
  std::size_t consumed = 0;
  bool operator==(const Decoded&) const = default;
};

// Fed in two pieces, the first of `cut` bytes.
Decoded decode(std::string_view text, std::size_t cut) {
  Decoded all;
  ChunkedDecoder decoder;
  for (const std::string_view piece : {text.substr(0, cut), text.substr(cut)}) {
    if (all.done) break;
    const Result<ChunkedDecoder::Fed> fed = decoder.feed(piece);
    if (!fed) {
      all.failed = true;
      return all;
    }
    for (const auto data : fed->data) all.data += data;
    all.consumed += fed->consumed;
    all.done = fed->done;
  }
  return all;
}

// The result, the same however the text is cut.
Decoded decode(std::string_view text) {
  const Decoded whole = decode(text, text.size());
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    INFO("cut at " << cut);
    const Decoded pieces = decode(text, cut);
    CHECK(pieces.failed == whole.failed);
    CHECK(pieces.done == whole.done);
    if (!whole.failed) CHECK(pieces == whole);
  }
  return whole;
}

}  // namespace

TEST_CASE("a body ends behind its last chunk, what follows is left") {
  const Decoded body = decode("5\r\nhello\r\nA;ext=\"x\"\r\n, my world\r\n0\r\n\r\nGET /");
  CHECK(body.done);
  CHECK(body.data == "hello, my world");
  CHECK(body.consumed == 38);
}

TEST_CASE("an empty body") {
  const Decoded body = decode("0\r\n\r\n");
  CHECK(body.done);
  CHECK(body.data.empty());
}

TEST_CASE("a body that is not complete asks for more") {
  const Decoded body = decode("5\r\nhel");
  CHECK_FALSE(body.failed);
  CHECK_FALSE(body.done);
  CHECK(body.data == "hel");
}

TEST_CASE("trailers are kept but for those that frame, route or authorise") {
  ChunkedDecoder decoder;
  const Result<ChunkedDecoder::Fed> fed =
      decoder.feed("0\r\nX-Sum: 12 \r\nContent-Length: 5\r\nHost: a\r\nAuthorization: b\r\nX-Forwarded-For: c\r\n\r\n");
  REQUIRE(fed);
  CHECK(fed->done);
  REQUIRE(decoder.trailers().all().size() == 1);
  CHECK(decoder.trailers().get("x-sum") == "12");
}

TEST_CASE("what another parser could take for something else is refused") {
  for (const char* text :
       {"\r\n", "5\nhello\r\n", "5\r\nhello\n", "5\r\nhelloX", "5 \r\n", " 5\r\n", "0x5\r\n", "+5\r\n", "-1\r\n", "g\r\n", ";\r\n",
        "5;\r\nhello", "5;\n", "5\r5", "10000000000000000\r\n", "00000000000000005\r\n", "8000000000000000\r\n", "0\r\n folded\r\n\r\n", "0\r\nno colon\r\n\r\n",
        "0\r\n: x\r\n\r\n", "0\r\nX : y\r\n\r\n", "0\r\nX: y\n\r\n", "5;a=\x01\r\n"}) {
    INFO(text);
    CHECK(decode(text).failed);
  }
}

TEST_CASE("framing may not outgrow what it frames") {
  std::string one_byte_each, extensions;
  for (int i = 0; i < 20'000; ++i) one_byte_each += "1\r\nx\r\n";
  CHECK_FALSE(decode(one_byte_each, one_byte_each.size()).failed);
  for (int i = 0; i < 20'000; ++i) extensions += "1;a=aaaaaaaaaaaaaaaa\r\nx\r\n";
  CHECK(decode(extensions, extensions.size()).failed);
}
