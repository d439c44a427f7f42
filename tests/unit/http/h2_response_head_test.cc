// The head and the trailers of an HTTP/2 response from an upstream.
#include "seawall/http/h2_response_head.h"

#include <utility>
#include <vector>

#include "catch.h"

using namespace seawall;

namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

H2ResponseHead head_of(const Fields& fields, bool trailers = false, std::size_t limit = 1000) {
  H2ResponseHead head;
  head.begin(trailers, limit);
  for (const auto& [name, value] : fields) head.add(name, value);
  head.end();
  return head;
}

}  // namespace

TEST_CASE("a head of HTTP/2: status, fields, length") {
  const H2ResponseHead head = head_of({{":status", "404"}, {"content-length", "5"}, {"x-a", "1"}, {"x-a", ""}});
  CHECK(head.complaint.empty());
  CHECK(head.status == 404);
  CHECK_FALSE(head.is_interim());
  CHECK(head.length == 5);
  CHECK(head.headers.all().size() == 3);
  CHECK(head_of({{":status", "103"}, {"link", "</a>"}}).is_interim());
}

TEST_CASE("a reader serves one block after the other") {
  H2ResponseHead head;
  head.begin(false, 100);
  head.add("x", "1");
  CHECK_FALSE(head.complaint.empty());
  head.begin(false, 100);
  head.add(":status", "200");
  head.end();
  CHECK(head.complaint.empty());
}

TEST_CASE("what is no head of an HTTP/2 response") {
  const auto [fields, complaint] = GENERATE(table<Fields, std::string>({
      {Fields{}, "upstream sent no :status header"},
      {Fields{{"a", "b"}}, "upstream sent no :status header"},
      {Fields{{":status", "200"}, {":status", "200"}}, "upstream sent duplicate :status header"},
      {Fields{{":status", "20"}}, "upstream sent invalid :status \"20\""},
      {Fields{{":status", "2000"}}, "upstream sent invalid :status \"2000\""},
      {Fields{{":status", "+20"}}, "upstream sent invalid :status \"+20\""},
      {Fields{{":status", "099"}}, "upstream sent invalid :status \"099\""},
      {Fields{{":status", "101"}}, "upstream sent unexpected :status \"101\""},
      {Fields{{":status", "200"}, {":path", "/"}}, "upstream sent invalid header \":path: /\""},
      {Fields{{":status", "200"}, {"a", "b"}, {":status", "200"}}, "upstream sent invalid header \":status: 200\""},
      {Fields{{":status", "200"}, {"", "b"}}, "upstream sent invalid header \": b\""},
      {Fields{{":status", "200"}, {"A", "b"}}, "upstream sent invalid header \"A: b\""},
      {Fields{{":status", "200"}, {"a b", "c"}}, "upstream sent invalid header \"a b: c\""},
      {Fields{{":status", "200"}, {"a:b", "c"}}, "upstream sent invalid header \"a:b: c\""},
      {Fields{{":status", "200"}, {"a\r\nb", "c"}}, "upstream sent invalid header \"a..b: c\""},
      {Fields{{":status", "200"}, {"a", "b\r\nset-cookie: c"}}, "upstream sent invalid header \"a: b..set-cookie: c\""},
      {Fields{{":status", "200"}, {"a", std::string("b\0c", 3)}}, "upstream sent invalid header \"a: b.c\""},
      {Fields{{":status", "200"}, {"transfer-encoding", "chunked"}}, "upstream sent invalid header \"transfer-encoding: chunked\""},
      {Fields{{":status", "200"}, {"connection", "close"}}, "upstream sent invalid header \"connection: close\""},
      {Fields{{":status", "200"}, {"upgrade", "h2c"}}, "upstream sent invalid header \"upgrade: h2c\""},
      {Fields{{":status", "200"}, {"content-length", "1"}, {"content-length", "1"}}, "upstream sent duplicate header line: \"Content-Length\""},
      {Fields{{":status", "200"}, {"content-length", "-1"}}, "upstream sent invalid \"Content-Length\" header: \"Content-Length: -1\""},
      {Fields{{":status", "200"}, {"a", std::string(1000, 'b')}}, "upstream sent too big header"},
  }));
  CHECK(head_of(fields).complaint == complaint);
}

TEST_CASE("trailers have no pseudo-fields, and what frames a message is left out of them") {
  const H2ResponseHead trailers = head_of({{"grpc-status", "0"}, {"content-length", "5"}, {"grpc-message", ""}}, true);
  CHECK(trailers.complaint.empty());
  CHECK(trailers.headers.all().size() == 2);
  CHECK(trailers.headers.get("grpc-status") == "0");
  CHECK(head_of({{":status", "200"}}, true).complaint == "upstream sent invalid trailer \":status: 200\"");
  CHECK(head_of({{"a", "b\nc"}}, true).complaint == "upstream sent invalid trailer \"a: b.c\"");
}
