// Heads: where one ends however it is cut, what it says, and its limits.
#include "seawall/http/h1_head.h"

#include <cstring>

#include "catch.h"

using namespace seawall;

namespace {

Result<RequestHead> parse(std::string_view text, HeadOptions options = {}) {
  Buffer in;
  const auto room = in.prepare(text.size());
  std::memcpy(room.data(), text.data(), text.size());
  in.commit(text.size());
  RequestHead head;
  if (Result<void> parsed = parse_head(in, text.size(), options, head); !parsed) return parsed.error();
  return head;
}

// The head's length, 0 while it is incomplete; the same whether the bytes come at once or one by one.
std::size_t length(std::string_view text, const HeadLimits& limits = {}) {
  HeadReader at_once(limits), one_by_one(limits);
  const Result<std::optional<std::size_t>> whole = at_once.scan(text);
  Result<std::optional<std::size_t>> last = std::optional<std::size_t>();
  for (std::size_t n = 1; n <= text.size() && last && !*last; ++n) last = one_by_one.scan(text.substr(0, n));
  CHECK(last.has_value() == whole.has_value());
  if (!whole) {
    CHECK(last.error() == whole.error());
    throw std::system_error(whole.error());
  }
  CHECK(*last == *whole);
  return whole->value_or(0);
}

std::error_code refused(std::string_view text, const HeadLimits& limits) {
  try {
    length(text, limits);
  } catch (const std::system_error& e) {
    return e.code();
  }
  return {};
}

}  // namespace

TEST_CASE("a head ends at its empty line") {
  CHECK(length("GET / HTTP/1.1\r\nHost: a\r\n\r\nrest") == 27);
  CHECK(length("GET / HTTP/1.1\nHost: a\n\nrest") == 24);
  CHECK(length("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n") == 31);
  CHECK(length("GET / HTTP/1.1\r\nHost: a\r\n") == 0);
  CHECK(length("") == 0);
}

TEST_CASE("limits of lines, of all lines and of their number") {
  HeadLimits limits;
  limits.first_buffer = 32, limits.buffers = 2, limits.buffer_size = 64, limits.max_headers = 3;
  CHECK(refused("GET /" + std::string(60, 'a'), limits) == Errc::uri_too_long);
  CHECK(refused("GET / HTTP/1.1\r\nX: " + std::string(62, 'a'), limits) == Errc::header_too_large);
  CHECK(refused("GET / HTTP/1.1\r\na:1\r\nb:2\r\nc:3\r\nd:4\r\n", limits) == Errc::header_too_large);
  const std::string line = "X: " + std::string(58, 'a') + "\r\n";
  CHECK(refused("GET / HTTP/1.1\r\n" + line + line + line, limits) == Errc::header_too_large);
  CHECK(length("GET / HTTP/1.1\r\na:1\r\nb:2\r\nc:3\r\n\r\n", limits) == 33);
}

TEST_CASE("what a head says") {
  const Result<RequestHead> head = parse("POST /a%20b/../c?x=1 HTTP/1.1\r\nHost: Example.com:81\r\nContent-Length: 12\r\nExpect: 100-Continue\r\n\r\n");
  REQUIRE(head);
  CHECK(head->method == Method::post);
  CHECK(head->path == "/c");
  CHECK(head->raw_path == "/a%20b/../c");
  CHECK(head->args == "x=1");
  CHECK(head->host == "example.com");
  CHECK(head->authority == "Example.com:81");
  CHECK(head->content_length == 12u);
  CHECK(head->expects_continue);
  CHECK(head->keep_alive);
}

TEST_CASE("connections are kept as version and Connection say") {
  CHECK(parse("GET / HTTP/1.1\r\nHost: a\r\n\r\n")->keep_alive);
  CHECK_FALSE(parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n")->keep_alive);
  CHECK_FALSE(parse("GET / HTTP/1.0\r\n\r\n")->keep_alive);
  CHECK(parse("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")->keep_alive);
}

TEST_CASE("an absolute target wins over Host, which must be a host all the same") {
  const Result<RequestHead> head = parse("GET http://b.test/x HTTP/1.1\r\nHost: a.test\r\n\r\n");
  REQUIRE(head);
  CHECK(head->host == "b.test");
  CHECK(head->path == "/x");
  CHECK(parse("GET http://b.test HTTP/1.1\r\nHost: a\r\n\r\n")->path == "/");
  CHECK_FALSE(parse("GET http://b.test/ HTTP/1.1\r\nHost: a b\r\n\r\n"));
  CHECK_FALSE(parse("GET ftp://b.test/ HTTP/1.1\r\nHost: a\r\n\r\n"));
}

TEST_CASE("fields with unusual names are dropped unless the options say otherwise") {
  const std::string text = "GET / HTTP/1.1\r\nHost: a\r\nX_A: 1\r\nX.B: 2\r\n\r\n";
  CHECK(parse(text)->headers.all().size() == 1);
  HeadOptions options;
  options.underscores_in_headers = true;
  CHECK(parse(text, options)->headers.get("x_a") == "1");
  options.ignore_invalid_headers = false;
  CHECK(parse(text, options)->headers.all().size() == 3);
}

TEST_CASE("heads that must not be guessed at") {
  for (const char* text :
       {"GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "get / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n X: folded\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nX: a\x01\r\n\r\n", "GET / HTTP/1.1\nHost: a\r\n\n",
        "GET #a HTTP/1.1\r\nHost: a\r\n\r\n", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
        "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n"}) {
    INFO(text);
    CHECK_FALSE(parse(text));
  }
}

TEST_CASE("an unknown transfer coding is not supported, which is no bad request") {
  const Result<RequestHead> head = parse("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n");
  REQUIRE_FALSE(head);
  CHECK(head.error() == Errc::not_supported);
}
