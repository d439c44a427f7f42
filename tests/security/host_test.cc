// Host and the request target: which server and which file a request means must have one answer.
#include "security/attack.h"

using namespace test;
using namespace std::string_literals;

namespace {

std::string get_host(std::string_view host) { return "GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"; }

}  // namespace

TEST_CASE("HTTP/1.1 without Host, or with two") {
  refuses({"GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
           "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", "GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"});
}

TEST_CASE("an empty Host") {
  refuses({get_host(""), get_host(" "), get_host(":80"), get_host(".")});
}

TEST_CASE("HTTP/1.0 needs no Host") {
  Server s(with_probe(kTarget));
  RawClient c(s.port());
  c.send("GET /x HTTP/1.0\r\n\r\n");
  CHECK(c.read_response().body == "served  /x");
  CHECK(c.read_all() == "");
}

TEST_CASE("a user in Host") {
  refuses({get_host("user@a"), get_host("user:password@a"), get_host("a@"), "GET http://user@a/ HTTP/1.1\r\nHost: a\r\n\r\n"});
}

TEST_CASE("ports in Host that are none") {
  refuses({get_host("a:80:80"), get_host("a:http"), get_host("a:-1"), get_host("a:65536"), get_host("a:99999999999999999999"),
           get_host("a:80 "  "b"), get_host("a: 80"), get_host("[::1]:80:80"), get_host("[::1]80")});
}

TEST_CASE("bytes in Host that no name has") {
  refuses({get_host("a/b"), get_host("a b"), get_host("a\\b"), get_host("a?b"), get_host("a#b"), get_host("a<b>"), get_host("a\"b"),
           get_host("a^b"), get_host("a`b"), get_host("a{b}"), get_host("a|b"), get_host("a%00b"), get_host("\xc3\xa4.test"),
           get_host("a..b"), get_host(".a"), get_host("http://a"), get_host("a\tb")});
}

TEST_CASE("IPv6 literals that are none") {
  refuses({get_host("::1"), get_host("[::1"), get_host("::1]"), get_host("[]"), get_host("[:::]"), get_host("[::1]x"), get_host("x[::1]"),
           get_host("[1.2.3.4]"), get_host("[::1%25lo]"), get_host("[v.a]"), get_host("[v1]"), get_host("[v1.]"), get_host("[vg.a]"), get_host("[v1.a b]"), get_host("[g::]"), get_host("[[::1]]")});
}

TEST_CASE("hosts that are hosts") {
  Server s(with_probe(kTarget));
  CHECK(answered(s, get_host("EXAMPLE.test.:8080")).body == "served example.test /");
  CHECK(answered(s, get_host("a_b-c.test:")).body == "served a_b-c.test /");
  CHECK(answered(s, get_host("[::1]:80")).body == "served [::1] /");
  CHECK(answered(s, get_host("127.0.0.1")).body == "served 127.0.0.1 /");
}

TEST_CASE("the authority of an absolute target wins over Host, and both must be hosts") {
  Server s(with_probe(kTarget + "server { listen 127.0.0.1:%%PORT_0%%; server_name other.test; return 200 other; }"));
  CHECK(answered(s, "GET http://other.test/ HTTP/1.1\r\nHost: a\r\n\r\n").body == "other");
  CHECK(answered(s, "GET http://OTHER.test:80/ HTTP/1.1\r\nHost: a\r\n\r\n").body == "other");
  CHECK(answered(s, "GET HTTP://other.test HTTP/1.1\r\nHost: a\r\n\r\n").body == "other");
  CHECK(answered(s, "GET http://a?q HTTP/1.1\r\nHost: other.test\r\n\r\n").body == "served a /");
  check_refused(s, "GET http://other.test/ HTTP/1.1\r\nHost: a b\r\n\r\n");
  check_refused(s, "GET http://other.test/ HTTP/1.1\r\n\r\n");
}

TEST_CASE("absolute targets that are none") {
  refuses({get_target("http:///"), get_target("http://"), get_target("http:/a"), get_target("a"), get_target("a/b"), get_target("//"  "a b"),
           get_target("ftp://a/"), get_target("javascript:alert(1)"), get_target("http://a b/"), get_target("http://a:b/"),
           get_target("http://[::1/"), get_target("?a"), get_target("http://a\\@b/")});
}

TEST_CASE("the asterisk is for OPTIONS alone") {
  refuses({get_target("*"), "POST * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS *x HTTP/1.1\r\nHost: a\r\n\r\n"});
}

TEST_CASE("a fragment is cut off before anybody looks at the target") {
  Server s(with_probe(kTarget + "server { listen 127.0.0.1:%%PORT_1%%; return 200 \"$request_uri $uri $args\"; }"));
  CHECK(answered(s, get_target("/a#b")).body == "served a /a");
  CHECK(answered(s, get_target("/#")).body == "served a /");
  CHECK(answered(s, get_target("http://a/b#/../c")).body == "served a /b");
  CHECK(answered(s, get_target("http://a#@other.test/")).body == "served a /");
  RawClient c(s.port(1));
  c.send(get_target("/a?b#c?d"));
  CHECK(c.read_response().body == "/a?b /a b");
  for (const char* target : {"#", "#/a", "/..#", "/%#", "/a#\x01", "http://#a/"}) check_refused(s, get_target(target));
  check_refused(s, "CONNECT a:443#b HTTP/1.1\r\nHost: a\r\n\r\n");
}

TEST_CASE("percent escapes that are none, and the NUL among them") {
  refuses({get_target("/%"), get_target("/%2"), get_target("/%zz"), get_target("/%2g"), get_target("/a%"), get_target("/%%41"),
           get_target("/%00"), get_target("/a%00.html"), get_target("/%u0041")});
}

TEST_CASE("paths that leave the root, however they are written") {
  refuses({get_target("/.."), get_target("/../"), get_target("/../etc/passwd"), get_target("/a/../../etc/passwd"),
           get_target("/%2e%2e/etc/passwd"), get_target("/..%2fetc/passwd"), get_target("/%2e%2e%2fetc/passwd"),
           get_target("/.%2e/etc/passwd"), get_target("/a/%2e%2e/%2e%2e/etc/passwd"), get_target("/./../etc/passwd"),
           get_target("//../etc/passwd"), get_target("/a/..//../etc/passwd"), get_target("http://a/../etc/passwd"),
           get_target("/a/.%2e/.%2e%2f"), get_target("/a/../..")});
}

TEST_CASE("what looks like a way out but is a name stays below the root") {
  Server s(with_probe(kTarget));
  CHECK(answered(s, get_target("/..;/etc/passwd")).body == "served a /..;/etc/passwd");
  CHECK(answered(s, get_target("/..\\etc\\passwd")).body == "served a /..\\etc\\passwd");
  CHECK(answered(s, get_target("/%5c..%5cetc")).body == "served a /\\..\\etc");
  CHECK(answered(s, get_target("/%252e%252e/etc/passwd")).body == "served a /%2e%2e/etc/passwd");
  CHECK(answered(s, get_target("/.../")).body == "served a /.../");
  CHECK(answered(s, get_target("/..a/")).body == "served a /..a/");
  CHECK(answered(s, get_target("/a/b/../c/./d")).body == "served a /a/c/d");
  CHECK(answered(s, get_target("/%c0%ae%c0%ae/")).body == "served a /\xc0\xae\xc0\xae/");
}

TEST_CASE("control bytes in a target") {
  Server s(with_probe(kTarget));
  for (char c = 1; c < 0x20; ++c)
    if (c != '\n') check_refused(s, get_target("/a"s + c + "b"));
  check_refused(s, get_target("/a\x7f"));
  check_refused(s, get_target("/?a=\x01"));
  check_honest(s);
}
