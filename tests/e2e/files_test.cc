// Files under root and alias: what is served, redirected and refused.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "catch.h"
#include "e2e/certificate.h"
#include "e2e/curl.h"
#include "e2e/server.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string server(std::string_view inside = {}, std::string_view listen = {}) {
  return std::string("server { listen 127.0.0.1:%%PORT_0%%")
      .append(listen)
      .append("; server_name first.test; root %%DIR%%/html; ")
      .append(inside)
      .append(" }");
}

std::string bytes(std::size_t size) {
  std::string text(size, '\0');
  std::uint32_t state = 1;
  for (char& c : text) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return text;
}

constexpr std::size_t kSizes[] = {0, 1, 65'536, 65'537, 3'000'000};

}  // namespace

TEST_CASE("files of all sizes arrive as they are") {
  Server s(server());
  for (const std::size_t size : kSizes) {
    const std::string content = bytes(size);
    s.file("html/f", content);
    const Response r = get(s.url("/f"));
    CHECK(r.status == 200);
    CHECK(r.header("Content-Length") == std::to_string(size));
    CHECK(r.header("Accept-Ranges") == "bytes");
    CHECK((r.body == content));
  }
}

TEST_CASE("files of all sizes arrive as they are with sendfile off") {
  Server s(server("sendfile off;"));
  for (const std::size_t size : kSizes) {
    const std::string content = bytes(size);
    s.file("html/f", content);
    CHECK((get(s.url("/f")).body == content));
  }
}

TEST_CASE("files of all sizes arrive as they are over TLS") {
  const auto made = make_certificate({"localhost"});
  Server s(server("ssl_certificate %%DIR%%/a.crt; ssl_certificate_key %%DIR%%/a.key;", " ssl"),
           {{"a.crt", made.certificate}, {"a.key", made.key}});
  for (const std::size_t size : kSizes) {
    const std::string content = bytes(size);
    s.file("html/f", content);
    CHECK((get(s.tls_url("/f")).body == content));
  }
}

TEST_CASE("a folder without its slash is redirected, with arguments and escapes") {
  Server s(server("location /al/ { alias %%DIR%%/html/; }"), {{"html/a b/x", ""}});
  CHECK(get(s.url("/a%20b?x=%20y")).header("Location") == s.url("/a%20b/?x=%20y"));
  CHECK(get(s.url("/al/a%20b")).header("Location") == s.url("/al/a%20b/"));
  CHECK(get(s.url("/a%20b")).status == 301);
}

TEST_CASE("the redirect of a folder obeys absolute_redirect, port_in_redirect and server_name_in_redirect") {
  const auto location = [](std::string_view inside) {
    Server s(server(inside), {{"html/a/x", ""}});
    const std::string port = ":" + std::to_string(s.port());
    RawClient c(s.port());
    c.send("GET /a HTTP/1.1\r\nHost: other.test:1234\r\n\r\n");
    std::string location = c.read_response().header("Location");
    if (const auto at = location.find(port); at != std::string::npos) location.replace(at, port.size(), ":PORT");
    return location;
  };
  CHECK(location("") == "http://other.test:PORT/a/");
  CHECK(location("absolute_redirect off;") == "/a/");
  CHECK(location("port_in_redirect off;") == "http://other.test/a/");
  CHECK(location("server_name_in_redirect on;") == "http://first.test:PORT/a/");
}

TEST_CASE("special files are refused at once") {
  Server s(server(), {{"html/x", ""}});
  const std::string html = s.folder() + "/html";
  REQUIRE(::mkfifo((html + "/fifo").c_str(), 0644) == 0);
  REQUIRE(::symlink("/dev/zero", (html + "/device").c_str()) == 0);
  const seawall::Fd socket(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (html + "/socket").copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  for (const char* path : {"/fifo", "/device", "/socket"}) CHECK(get(s.url(path)).status == 404);
  CHECK(s.wait_for_log("fifo\" is not a regular file"));
}

TEST_CASE("what is not there, and what may not be read") {
  Server s(server("log_not_found off; location /told { log_not_found on; }"), {{"html/x", "x"}});
  CHECK(get(s.url("/none")).status == 404);
  CHECK(get(s.url("/x/y")).status == 404);
  CHECK(get(s.url("/" + std::string(300, 'a'))).status == 404);
  REQUIRE(::symlink("loop", (s.folder() + "/html/loop").c_str()) == 0);
  CHECK(get(s.url("/loop")).status == 403);
  CHECK(get(s.url("/told")).status == 404);
  CHECK(s.wait_for_log("open\\(\\) \"[^\"]*/html/told\" failed \\(2: No such file or directory\\), client"));
  CHECK(s.error_log().find("html/none") == std::string::npos);
}

TEST_CASE("paths that lead out of the root or hold a NUL are refused") {
  Server s(server("location /v/ { root %%DIR%%/$arg_r; }"), {{"html/x", ""}, {"secret", "secret"}});
  for (const char* path : {"/../secret", "/a/../../secret", "/%2e%2e/secret", "/x%00.html", "/..%2fsecret"}) {
    RawClient c(s.port());
    c.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    const int status = c.read_response().status;
    CHECK((status == 400 || status == 404));
  }
  CHECK(get(s.url("/v/secret?r=html/../..")).status == 404);
}

TEST_CASE("only GET and HEAD have a file") {
  Server s(server(), {{"html/x", "x"}});
  const Response r = fetch({.url = s.url("/x"), .method = "DELETE"});
  CHECK(r.status == 405);
  CHECK(r.header("Allow") == "GET, HEAD");
  CHECK(fetch({.url = s.url("/x"), .method = "POST", .body = "b"}).status == 405);
  CHECK(fetch({.url = s.url("/none"), .method = "POST", .body = "b"}).status == 404);
}

TEST_CASE("etag off") {
  Server s(server("location /off { etag off; }"), {{"html/off", ""}, {"html/on", ""}});
  CHECK(get(s.url("/off")).header("ETag").empty());
  CHECK(!get(s.url("/on")).header("ETag").empty());
}

TEST_CASE("types and default_type name a file's type") {
  Server s(server("types { text/x-a a A2; } default_type x/y; location /in/ { types { } default_type \"\"; }"),
           {{"html/x.a", ""}, {"html/x.a2", ""}, {"html/x.html", ""}, {"html/a", ""}, {"html/in/x.a", ""}});
  CHECK(get(s.url("/x.a")).header("Content-Type") == "text/x-a");
  CHECK(get(s.url("/x.a2")).header("Content-Type") == "text/x-a");
  CHECK(get(s.url("/x.html")).header("Content-Type") == "x/y");
  CHECK(get(s.url("/a")).header("Content-Type") == "x/y");
  CHECK(get(s.url("/in/x.a")).count("Content-Type") == 0);
}

TEST_CASE("a file that shrinks while it is sent ends the connection, not the server") {
  Server s(server());
  s.file("html/f", "");
  const std::string path = s.folder() + "/html/f";
  REQUIRE(::truncate(path.c_str(), 64 << 20) == 0);
  RawClient c(s.port(), "127.0.0.1", 4096);
  c.send("GET /f HTTP/1.1\r\nHost: a\r\n\r\n");
  c.read_until("\r\n\r\n");
  REQUIRE(::truncate(path.c_str(), 10) == 0);
  CHECK(c.read_all().size() < std::size_t{64 << 20});
  CHECK(s.wait_for_log("while sending response to client"));
}

TEST_CASE("a second types block on a level adds to the first, and goes before it") {
  Server s(server("types { text/x-a a; text/x-b b; } types { text/x-c c; text/other b; } location /in/ { types { text/in a; } types { text/in c; } }"),
           {{"html/x.a", ""}, {"html/x.b", ""}, {"html/x.c", ""}, {"html/in/x.b", ""}, {"html/in/x.c", ""}});
  CHECK(get(s.url("/x.a")).header("Content-Type") == "text/x-a");
  CHECK(get(s.url("/x.b")).header("Content-Type") == "text/other");
  CHECK(get(s.url("/x.c")).header("Content-Type") == "text/x-c");
  CHECK(get(s.url("/in/x.c")).header("Content-Type") == "text/in");
  CHECK(get(s.url("/in/x.b")).header("Content-Type") != "text/other");
  CHECK(s.error_log().find("duplicate extension \"b\", content type: \"text/other\", previous content type: \"text/x-b\"") != std::string::npos);
}
