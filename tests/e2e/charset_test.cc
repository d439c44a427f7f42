// charset and its directives.
#include "catch.h"

#include "e2e/curl.h"
#include "e2e/probe.h"
#include "e2e/upstream.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

// Two letters each: enough to see both directions.
const std::string kMaps = "charset_map koi8-r utf-8 { C1 D0B0; C2 D0B1; } charset_map A B { 80 90; 81 91; }";

std::string server(std::string_view inside) {
  std::string text(kMaps + "server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%; default_type text/html; ");
  return text.append(inside).append(" }");
}

std::string type_of(const Server& s, const char* path) { return get(s.url(path)).header("Content-Type"); }

}  // namespace

TEST_CASE("charset is told in Content-Type") {
  Server s(server("charset utf-8; location /html { return 200 a; } location /off { charset off; return 200 a; }"
                  "location /css { default_type text/css; return 200 a; }"
                  "location /css/listed { default_type text/css; charset_types text/css; return 200 a; }"
                  "location /variable { charset $arg_c; return 200 a; } location /away { return 302 /; }"
                  "location /told { default_type 'text/html; charset=koi8-r'; return 200 a; }"));
  CHECK(type_of(s, "/html") == "text/html; charset=utf-8");
  CHECK(type_of(s, "/off") == "text/html");
  CHECK(type_of(s, "/css") == "text/css");
  CHECK(type_of(s, "/css/listed") == "text/css; charset=utf-8");
  CHECK(type_of(s, "/variable?c=x") == "text/html; charset=x");
  CHECK(type_of(s, "/variable") == "text/html");
  CHECK(type_of(s, "/away") == "text/html");
  CHECK(type_of(s, "/told") == "text/html; charset=koi8-r");
}

TEST_CASE("charset_map puts one charset into the other, and back") {
  Server s(server("location /utf8 { charset utf-8; source_charset koi8-r; }"
                  "location /koi { charset koi8-r; source_charset utf-8; }"
                  "location /b { charset B; source_charset A; } location /a { charset A; source_charset B; }"),
           {{"utf8", "<\xc1\xc2\xff>"},
            {"koi", "<\xd0\xb0\xd0\xb1\xd0\xb2\xe2\x82\xac\xff\xd0>"},
            {"b", "<\x80\x81\x82>"},
            {"a", "<\x90\x91>"}});
  const Response utf8 = get(s.url("/utf8"));
  CHECK(utf8.body == "<\xd0\xb0\xd0\xb1?>");
  CHECK(utf8.header("Content-Type") == "text/html; charset=utf-8");
  CHECK(utf8.header("ETag").starts_with("W/"));
  CHECK(get(s.url("/koi")).body == "<\xc1\xc2&#1074;&#8364;??>");
  CHECK(get(s.url("/b")).body == "<\x90\x91?>");
  CHECK(get(s.url("/a")).body == "<\x80\x81>");
  const Response part = get(s.url("/b"), {"Range: bytes=1-2"});  // as many bytes as before
  CHECK(part.status == 206);
  CHECK(part.body == "\x90\x91");
  CHECK(get(s.url("/utf8"), {"Range: bytes=1-2"}).status == 200);
}

TEST_CASE("override_charset believes Content-Type and puts it into the wanted charset") {
  Server s(server("location / { default_type 'text/html; charset=\"KOI8-R\"'; charset utf-8;"
                  " override_charset on; return 200 '<\xc1>'; }"
                  "location /none { default_type 'text/html; charset=KOI8-R'; charset x; override_charset on; return 200 a; }"
                  "location /coded { default_type 'text/html; charset=KOI8-R'; charset utf-8; override_charset on;"
                  " add_header Content-Encoding x; return 200 '\xc1'; }"));
  CHECK(get(s.url("/")).body == "<\xd0\xb0>");
  CHECK(type_of(s, "/") == "text/html; charset=utf-8");
  CHECK(get(s.url("/none")).body == "a");
  CHECK_THAT(s.error_log(), ContainsSubstring("no \"charset_map\" between the charsets \"KOI8-R\" and \"x\""));
  CHECK(get(s.url("/coded")).body == "\xc1");
}

TEST_CASE("a character of UTF-8 that lies over the border of two pieces is one") {
  // Larger than what is read of a file at a time, and odd: some character lies over each border.
  std::string text = "x", expected = "x";
  for (int i = 0; i < 200'000; ++i) {
    text += "\xd0\xb0";
    expected += "\xc1";
  }
  Server s(server("charset koi8-r; source_charset utf-8;"), {{"a", text}});
  CHECK(get(s.url("/a")).body == expected);
}

TEST_CASE("charset refuses what cannot work") {
  const auto refusal = [](const std::string& config) { return check_config(config).err; };
  const std::string listens = "server { listen 127.0.0.1:%%PORT_0%%; }";
  CHECK_THAT(refusal(server("charset x; source_charset y;")),
             ContainsSubstring("no \"charset_map\" between the charsets \"y\" and \"x\""));
  CHECK_THAT(refusal("charset_map a A { }" + listens),
             ContainsSubstring("\"charset_map\" between the same charsets \"a\" and \"A\" in "));
  CHECK_THAT(refusal("charset_map a b { 100 20; }" + listens), ContainsSubstring("invalid value \"100\" in "));
  CHECK_THAT(refusal("charset_map a utf-8 { 80 D0; }" + listens), ContainsSubstring("invalid value \"D0\" in "));
  CHECK_THAT(refusal("charset_map a b { 80 81 82; }" + listens),
             ContainsSubstring("invalid parameters number in "));
}

TEST_CASE("X-Accel-Charset goes before charset, and further with X-Accel-Redirect") {
  Upstream up([](RawClient& c) {
    const std::string head = c.read_until("\r\n\r\n");
    std::string told = head.find("/unknown") != head.npos ? "nobody" : "KOI8-R";
    if (head.find("/moved") != head.npos) told += "\r\nX-Accel-Redirect: /file";
    c.send("HTTP/1.1 200 OK\r\nContent-Type: text/any\r\nContent-Length: 2\r\nConnection: close\r\nX-Accel-Charset: " + told + "\r\n\r\n\xd0\xb0");
  });
  Server s(server("charset utf-8; source_charset utf-8; location / { proxy_pass " + up.url() + "; } "
                  "location /ignored { proxy_pass " + up.url() + "; proxy_ignore_headers X-Accel-Charset; } location = /file { }"),
           {{"file", "\xd0\xb1"}});
  const Response r = get(s.url("/"));
  CHECK(r.header("Content-Type") == "text/any; charset=KOI8-R");
  CHECK(r.body == "\xc1");
  CHECK(r.count("X-Accel-Charset") == 0);
  const Response moved = get(s.url("/moved"));
  CHECK_THAT(moved.header("Content-Type"), ContainsSubstring("; charset=KOI8-R"));
  CHECK(moved.body == "\xc2");
  CHECK(type_of(s, "/ignored") == "text/any");
  CHECK(type_of(s, "/unknown") == "text/any");
  CHECK(s.wait_for_log("unknown charset \"nobody\" to override"));
}
