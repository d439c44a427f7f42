// Range requests on files.
#include "catch.h"
#include "e2e/curl.h"
#include "e2e/server.h"

using namespace test;

namespace {

std::string thousand() {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "X0" + std::to_string(10 + i % 90) + "XXXXXX";
  return text;
}

class RangeServer : public Server {
 public:
  explicit RangeServer(std::string_view inside = {})
      : Server(std::string("server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%; ").append(inside).append(" }"),
               {{"a.html", thousand()}, {"empty", ""}}) {}
  Response range(const std::string& value, std::vector<std::string> more = {}) const {
    more.push_back("Range: " + value);
    return get(url("/a.html"), more);
  }
};

}  // namespace

TEST_CASE("a file says that it can be cut") {
  RangeServer s;
  CHECK(get(s.url("/a.html")).header("Accept-Ranges") == "bytes");
}

TEST_CASE("one range is a 206 with its place") {
  RangeServer s;
  const Response r = s.range("bytes=990-1990");
  CHECK(r.status == 206);
  CHECK(r.header("Content-Range") == "bytes 990-999/1000");
  CHECK(r.header("Content-Length") == "10");
  CHECK(r.body == thousand().substr(990));
  CHECK(s.range("bytes=-10").body == thousand().substr(990));
  CHECK(s.range("bytes=0-8").body == thousand().substr(0, 9));
}

TEST_CASE("several ranges are multipart/byteranges") {
  RangeServer s("types { text/html html; }");
  const Response r = s.range("bytes=0-9, -10");
  CHECK(r.status == 206);
  const std::string type = r.header("Content-Type");
  REQUIRE(type.starts_with("multipart/byteranges; boundary="));
  const std::string boundary = type.substr(type.find('=') + 1);
  const auto part = [&](const std::string& place, const std::string& bytes) {
    return "\r\n--" + boundary + "\r\nContent-Type: text/html\r\nContent-Range: bytes " + place + "/1000\r\n\r\n" + bytes;
  };
  CHECK(r.body == part("0-9", thousand().substr(0, 10)) + part("990-999", thousand().substr(990)) + "\r\n--" + boundary + "--\r\n");
  CHECK(r.header("Content-Length") == std::to_string(r.body.size()));
}

TEST_CASE("a range beyond the end is a 416 that names the length") {
  RangeServer s;
  const Response r = s.range("bytes=1000-");
  CHECK(r.status == 416);
  CHECK(r.header("Content-Range") == "bytes */1000");
  CHECK(r.count("ETag") == 0);
}

TEST_CASE("ranges that add up to more than the file get the file") {
  RangeServer s;
  CHECK(s.range("bytes=0-,0-,0-").status == 200);
}

TEST_CASE("max_ranges bounds and switches off") {
  RangeServer s("location / { max_ranges 1; } location = /off { alias %%DIR%%/a.html; max_ranges 0; }");
  CHECK(s.range("bytes=0-1").status == 206);
  CHECK(s.range("bytes=0-1,5-6").status == 200);
  const Response off = get(s.url("/off"), {"Range: bytes=0-1"});
  CHECK(off.status == 200);
  CHECK(off.count("Accept-Ranges") == 0);
}

TEST_CASE("If-Range lets a range through for the same entity only") {
  RangeServer s;
  const Response whole = get(s.url("/a.html"));
  CHECK(s.range("bytes=0-1", {"If-Range: " + whole.header("ETag")}).status == 206);
  CHECK(s.range("bytes=0-1", {"If-Range: \"other\""}).status == 200);
  CHECK(s.range("bytes=0-1", {"If-Range: W/" + whole.header("ETag")}).status == 200);
  CHECK(s.range("bytes=0-1", {"If-Range: " + whole.header("Last-Modified")}).status == 206);
  CHECK(s.range("bytes=0-1", {"If-Range: Mon, 28 Sep 1970 06:00:00 GMT"}).status == 200);
}

TEST_CASE("an empty file has no ranges") {
  RangeServer s;
  CHECK(get(s.url("/empty"), {"Range: bytes=0-"}).status == 200);
}
