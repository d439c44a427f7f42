// Small content modules: empty_gif, random_index.
#include "catch.h"

#include <set>

#include "e2e/curl.h"
#include "e2e/server.h"
#include "e2e/upstream.h"

using namespace test;

namespace {

std::string server(std::string_view inside) {
  std::string text("server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%; ");
  return text.append(inside).append(" }");
}

}  // namespace

TEST_CASE("empty_gif is a GIF of one pixel, for GET and HEAD, in its own location") {
  Server s(server("location /gif { empty_gif; location /gif/file { } }"), {{"gif/file", "a file"}});
  const Response r = get(s.url("/gif"));
  CHECK(r.status == 200);
  CHECK(r.header("Content-Type") == "image/gif");
  CHECK(r.header("Last-Modified") == "Mon, 28 Sep 1970 06:00:00 GMT");
  CHECK(r.body.size() == 43);
  CHECK(r.body.starts_with("GIF89a"));
  CHECK(r.body.ends_with(";"));
  CHECK(get(s.url("/gif"), {"If-Modified-Since: Mon, 28 Sep 1970 06:00:00 GMT"}).status == 304);
  CHECK(get(s.url("/gif/file")).body == "a file");
  Request post;
  post.url = s.url("/gif");
  post.method = "POST";
  post.body = "x";
  CHECK(fetch(post).status == 405);
}

TEST_CASE("random_index answers with each file of a folder, and with nothing else") {
  Server s(server("location / { random_index on; } location /nothing/ { random_index on; }"),
           {{"a", "a"}, {"b", "b"}, {".hidden", "hidden"}, {"folder/x", "x"}, {"nothing/folder/x", "x"}});
  std::set<std::string> bodies;
  for (int i = 0; i < 200; ++i) bodies.insert(get(s.url("/")).body);
  bodies.erase(s.read("nginx.conf"));
  bodies.erase(s.error_log());
  CHECK(bodies.count("a") == 1);
  CHECK(bodies.count("b") == 1);
  CHECK(bodies.count("hidden") == 0);
  CHECK(bodies.count("x") == 0);
  CHECK(get(s.url("/folder/")).body == "x");
  CHECK(get(s.url("/nothing/")).status == 403);
  CHECK(get(s.url("/none/")).status == 404);
}

TEST_CASE("a handler of the location goes before random_index, and that before index") {
  Upstream up([](RawClient& c) {
    c.read_until("\r\n\r\n");
    c.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nasked");
  });
  Server s(server("location /p/ { random_index on; proxy_pass " + up.url() + "; } location /i/ { random_index on; }"),
           {{"p/a", "file"}, {"i/a", "one"}, {"i/index.html", "one"}});
  CHECK(get(s.url("/p/")).body == "asked");
  CHECK(get(s.url("/i/")).body == "one");
}
