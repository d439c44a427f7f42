#include "seawall/http/h2_head.h"

#include "catch.h"

using namespace seawall;

namespace {

class Fields {
 public:
  HeadLimits limits;
  HeadOptions options;
  H2HeadReader reader{limits, options};
  RequestHead read(std::initializer_list<std::pair<std::string_view, std::string_view>> fields, bool ends = true) {
    reader.begin();
    for (const auto& [name, value] : fields) reader.add(name, value, false);
    return reader.finish(100, ends);
  }
};

}  // namespace

TEST_CASE("a head of HTTP/2 is a request like any other") {
  Fields r;
  const RequestHead head = r.read({{":method", "POST"}, {":scheme", "https"}, {":path", "/a%20b/../c?d"}, {":authority", "Example.org:8443"},
                                   {"cookie", "a=1"}, {"content-length", "3"}, {"cookie", "b=2"}, {"expect", "100-Continue"}}, false);
  CHECK(r.reader.status() == 0);
  CHECK((head.method == Method::post && head.version == Version::http2));
  CHECK((head.path == "/c" && head.args == "d" && head.raw_path == "/a%20b/../c"));
  CHECK((head.host == "example.org" && head.authority == "Example.org:8443"));
  CHECK(head.headers.get(FieldId::host) == "Example.org:8443");
  CHECK(head.headers.get(FieldId::cookie) == "a=1; b=2");
  CHECK(head.request_line == "POST /a%20b/../c?d HTTP/2.0");
  CHECK((head.content_length == 3 && !head.chunked && head.expects_continue && head.size == 100));
}

TEST_CASE("a body without a length is one that ends when it ends") {
  Fields r;
  CHECK(r.read({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}}, false).chunked);
  CHECK_FALSE(r.read({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}}, true).chunked);
}

TEST_CASE("unusual names are dropped or kept, as ignore_invalid_headers says") {
  Fields r;
  CHECK_FALSE(r.read({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}, {"x_y", "1"}}).headers.find("x_y"));
  r.options.ignore_invalid_headers = false;
  CHECK(r.read({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}, {"x_y", "1"}}).headers.find("x_y"));
}

TEST_CASE("a refused head keeps what is known of its request line, and the reason") {
  Fields r;
  const RequestHead head = r.read({{":method", "GET"}, {":path", "/x"}, {":authority", "a"}});
  CHECK(r.reader.status() == 400);
  CHECK(r.reader.reason() == "client sent no :scheme header");
  CHECK(head.request_line == "GET /x HTTP/2.0");
}

TEST_CASE("behind the limit nothing is kept, and all is counted") {
  Fields r;
  r.limits.first_buffer = 100;
  r.limits.buffers = 1;
  r.limits.buffer_size = 100;
  r.reader.begin();
  const std::string value(90, 'v');
  for (int i = 0; i < 1000; ++i) r.reader.add("x", value, false);
  CHECK(r.reader.status() == 494);
  CHECK(r.reader.unpacked() == 91'000);
}

TEST_CASE("trailers have no pseudo-headers, and nothing that frames a message") {
  Fields r;
  r.reader.begin_trailers();
  r.reader.add("x-sum", "1", false);
  r.reader.add("content-length", "1", false);
  CHECK(r.reader.status() == 0);
  const Headers trailers = r.reader.finish_trailers();
  CHECK(trailers.get("x-sum") == "1");
  CHECK_FALSE(trailers.has(FieldId::content_length));
  r.reader.begin_trailers();
  r.reader.add(":path", "/", false);
  CHECK(r.reader.status() == 400);
}
