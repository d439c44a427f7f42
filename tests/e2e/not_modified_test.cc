// Conditional requests on files.
#include "catch.h"
#include "e2e/curl.h"
#include "e2e/server.h"

using namespace test;

namespace {

const char* const kFiles = R"(server {
  listen 127.0.0.1:%%PORT_0%%;
  root %%DIR%%;
  location /exact { alias %%DIR%%/a; }
  location /before { alias %%DIR%%/a; if_modified_since before; }
  location /off { alias %%DIR%%/a; if_modified_since off; }
})";
const Files kFile = {{"a", "hello"}};
const char* const kFuture = "If-Modified-Since: Wed, 08 Jul 2037 22:53:52 GMT";
const char* const kPast = "If-Modified-Since: Mon, 28 Sep 1970 06:00:00 GMT";

}  // namespace

TEST_CASE("the entity tag a client has is a 304 without a body") {
  Server s(kFiles, kFile);
  const std::string etag = get(s.url("/a")).header("ETag");
  REQUIRE_FALSE(etag.empty());
  const Response r = get(s.url("/a"), {"If-None-Match: " + etag});
  CHECK(r.status == 304);
  CHECK(r.body.empty());
  CHECK(r.header("ETag") == etag);
  CHECK(r.count("Content-Type") == 0);
  CHECK(r.count("Content-Length") == 0);
  CHECK(r.count("Accept-Ranges") == 0);
  CHECK(get(s.url("/a"), {"If-None-Match: \"x\", W/" + etag + " , \"y\""}).status == 304);
  CHECK(get(s.url("/a"), {"If-None-Match: *"}).status == 304);
  CHECK(get(s.url("/a"), {"If-None-Match: \"x\""}).status == 200);
}

TEST_CASE("If-Modified-Since by exact date, by an older one, or not at all") {
  Server s(kFiles, kFile);
  const std::string same = "If-Modified-Since: " + get(s.url("/a")).header("Last-Modified");
  CHECK(get(s.url("/exact"), {same}).status == 304);
  CHECK(get(s.url("/exact"), {kFuture}).status == 200);
  CHECK(get(s.url("/before"), {kFuture}).status == 304);
  CHECK(get(s.url("/before"), {kPast}).status == 200);
  CHECK(get(s.url("/off"), {same}).status == 200);
}

TEST_CASE("both conditions must say that nothing changed") {
  Server s(kFiles, kFile);
  const Response whole = get(s.url("/a"));
  const std::string date = "If-Modified-Since: " + whole.header("Last-Modified");
  CHECK(get(s.url("/a"), {date, "If-None-Match: " + whole.header("ETag")}).status == 304);
  CHECK(get(s.url("/a"), {date, "If-None-Match: \"x\""}).status == 200);
  CHECK(get(s.url("/a"), {kPast, "If-None-Match: " + whole.header("ETag")}).status == 200);
}

TEST_CASE("a precondition that fails is a 412") {
  Server s(kFiles, kFile);
  const Response whole = get(s.url("/a"));
  CHECK(get(s.url("/a"), {"If-Match: " + whole.header("ETag")}).status == 200);
  CHECK(get(s.url("/a"), {"If-Match: *"}).status == 200);
  CHECK(get(s.url("/a"), {"If-Match: W/" + whole.header("ETag")}).status == 412);
  const Response failed = get(s.url("/a"), {"If-Match: \"x\""});
  CHECK(failed.status == 412);
  CHECK(failed.count("ETag") == 0);
  CHECK(get(s.url("/a"), {"If-Unmodified-Since: Mon, 28 Sep 1970 06:00:00 GMT"}).status == 412);
  CHECK(get(s.url("/a"), {"If-Unmodified-Since: Wed, 08 Jul 2037 22:53:52 GMT"}).status == 200);
}

TEST_CASE("conditions do not touch other statuses than 200") {
  Server s(kFiles, kFile);
  CHECK(get(s.url("/missing"), {"If-Match: \"x\""}).status == 404);
}
