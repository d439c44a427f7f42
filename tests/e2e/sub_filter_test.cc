// sub_filter and its directives.
#include "catch.h"

#include "e2e/codings.h"
#include "e2e/curl.h"
#include "e2e/probe.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string server(std::string_view inside) {
  std::string text("server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%; default_type text/html; ");
  return text.append(inside).append(" }");
}

}  // namespace

TEST_CASE("sub_filter exchanges strings in any case, once or always, with variables") {
  Server s(server("location /once { sub_filter one 1; sub_filter two 2; return 200 'One two ONE tWo'; }"
                  "location /always { sub_filter_once off; sub_filter one [$arg_a]; sub_filter $arg_b x;"
                  "return 200 'one Two one'; }"
                  "location /order { sub_filter_once off; sub_filter ab 1; sub_filter abc 2; sub_filter bcd 3;"
                  "return 200 'abcd bcd'; }"
                  "location /gone { sub_filter one ''; return 200 one; }"));
  CHECK(get(s.url("/once")).body == "1 2 ONE tWo");
  CHECK(get(s.url("/always?a=A&b=two")).body == "[A] x [A]");
  CHECK(get(s.url("/always?a=A")).body == "[A] Two [A]");
  CHECK(get(s.url("/order")).body == "1cd 3");
  const Response gone = get(s.url("/gone"));
  CHECK(gone.body.empty());
  CHECK(gone.header("Content-Length") == "0");
}

TEST_CASE("sub_filter in files: the head says no length, tag, date or ranges of the other bytes") {
  std::string text, expected;
  for (int i = 0; i < 30'000; ++i) {
    const std::string rest = " in hay " + std::to_string(i) + "\n";
    text += "a needle" + rest;
    expected += "a STRAW" + rest;
  }
  Server s(server("sub_filter_once off; sub_filter needle STRAW; sub_filter 'no such thing' x;"
                  "location /kept { sub_filter_last_modified on; }"),
           {{"big", text}, {"kept", "a needle"}, {"empty", ""}});
  const Response r = get(s.url("/big"));
  CHECK(r.body == expected);
  for (const char* field : {"Last-Modified", "ETag", "Accept-Ranges"}) CHECK(r.count(field) == 0);
  const Response kept = get(s.url("/kept"), {"Range: bytes=0-1"});
  CHECK(kept.status == 200);
  CHECK(kept.body == "a STRAW");
  CHECK(kept.header("ETag").starts_with("W/"));
  CHECK(kept.count("Last-Modified") == 1);
  CHECK(get(s.url("/empty")).count("ETag") == 1);
}

TEST_CASE("sub_filter finds what lies over the border of two pieces") {
  for (const char* size : {"1", "2", "3", "7"}) {
    Server s(with_probe(server("add_header Content-Type text/html; sub_filter_once off; sub_filter xxx y; sub_filter xxxxq z;"
                               "probe_stream 60 " + std::string(size) + ";")));
    const std::size_t all = 60 * std::stoul(size);
    CHECK(get(s.url()).body == std::string(all / 3, 'y') + std::string(all % 3, 'x'));
  }
}

TEST_CASE("sub_filter leaves other types and coded bodies alone, and gzip comes after it") {
  Server s(server("gzip on; gzip_min_length 0; sub_filter a b;"
                  "location /css { default_type text/css; sub_filter_types text/x; return 200 aaa; }"
                  "location /all { default_type text/css; sub_filter_types *; return 200 aaa; }"
                  "location /coded { add_header Content-Encoding x; return 200 aaa; } location /html { return 200 aaa; }"));
  CHECK(get(s.url("/css")).body == "aaa");
  CHECK(get(s.url("/all")).body == "baa");
  CHECK(get(s.url("/coded")).body == "aaa");
  CHECK(ungzip(get(s.url("/html"), {"Accept-Encoding: gzip"}).body) == "baa");
}

TEST_CASE("sub_filter refuses an empty string") {
  CHECK_THAT(check_config(server("sub_filter '' a;")).err, ContainsSubstring("[emerg] empty search pattern in "));
}
