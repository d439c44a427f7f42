// The directives map and split_clients.
#include "catch.h"
#include "e2e/curl.h"
#include "e2e/server.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string site(std::string_view outside, std::string_view inside) {
  return std::string(outside).append(" server { listen 127.0.0.1:%%PORT_0%%; server_name site.test; ").append(inside).append(" }");
}

std::string body(const Server& s, const std::string& path) { return get(s.url(path)).body; }

std::string refused(const std::string& outside) { return check_config(site(outside, "")).err; }

}  // namespace

TEST_CASE("map finds texts exactly in any case, then by regexes, then the default") {
  Server s(site("map $arg_a $b { default none; one 1; Two 2; \"\" empty; ~^x(?<rest>.+)$ \"x-$1-$rest\"; ~*^y y; \\~z tilde; \\default word; }",
                "location / { return 200 $b; }"));
  CHECK(body(s, "/?a=one") == "1");
  CHECK(body(s, "/?a=ONE") == "1");
  CHECK(body(s, "/?a=two") == "2");
  CHECK(body(s, "/") == "empty");
  CHECK(body(s, "/?a=xyz") == "x-yz-yz");
  CHECK(body(s, "/?a=Xyz") == "none");
  CHECK(body(s, "/?a=Yes") == "y");
  CHECK(body(s, "/?a=~z") == "tilde");
  CHECK(body(s, "/?a=default") == "word");
  CHECK(body(s, "/?a=three") == "none");
}

TEST_CASE("map without a default gives an empty text") {
  Server s(site("map $arg_a $b { one 1; }", "location / { return 200 \"[$b]\"; }"));
  CHECK(body(s, "/?a=two") == "[]");
}

TEST_CASE("map takes texts of several variables and gives values with variables") {
  Server s(site("map $arg_a-$arg_b $c { 1-2 \"$uri and $arg_b\"; default $arg_a; }", "location / { return 200 $c; }"));
  CHECK(body(s, "/x?a=1&b=2") == "/x and 2");
  CHECK(body(s, "/x?a=7") == "7");
}

TEST_CASE("map with hostnames takes the longest wildcard") {
  Server s(site("map $arg_h $n { hostnames; default none; site.test exact; *.site.test below; *.deep.site.test deeper; "
                ".other.test dot; www.* www; www.a.* wwwa; }",
                "location / { return 200 $n; }"));
  CHECK(body(s, "/?h=site.test") == "exact");
  CHECK(body(s, "/?h=SITE.test.") == "exact");
  CHECK(body(s, "/?h=a.b.site.test") == "below");
  CHECK(body(s, "/?h=a.deep.site.test") == "deeper");
  CHECK(body(s, "/?h=other.test") == "dot");
  CHECK(body(s, "/?h=a.other.test") == "dot");
  CHECK(body(s, "/?h=www.x.y") == "www");
  CHECK(body(s, "/?h=www.a.y") == "wwwa");
  CHECK(body(s, "/?h=xsite.test") == "none");
  CHECK(body(s, "/?h=*.site.test") == "below");
}

TEST_CASE("a map is asked once a request, a volatile one each time") {
  Server s(site("map $x $once { default \"x=$x\"; } map $x $again { volatile; default \"x=$x\"; }",
                "location / { set $x 1; set $a \"$once $again\"; set $x 2; return 200 \"$a $once $again\"; }"));
  CHECK(body(s, "/") == "x=1 x=1 x=1 x=2");
}

TEST_CASE("captures of a location outlive the regexes of a map in the same text") {
  Server s(site("map $arg_a $m { ~^(.)(.*)$ \"$2$1\"; }",
                "location ~ ^/(\\w+)/(\\w+)$ { return 200 \"$1 $m $2 $1\"; } "
                "location /r/ { rewrite ^/r/(.*)/(.*)$ /shown?$m-$1-$m-$2? last; } location /shown { return 200 $args; }"));
  CHECK(body(s, "/one/two?a=abc") == "one bca two one");
  CHECK(body(s, "/r/first/second?a=abcdefghijklmnopqrstuvwxyz") ==
        "bcdefghijklmnopqrstuvwxyza-first-bcdefghijklmnopqrstuvwxyza-second");
}

TEST_CASE("maps of maps work, and a circle of maps is an error line") {
  Server s(site("map $arg_a $b { default 0; x 1; } map $b $c { 1 one; 0 none; } map $e $d { default \"d$e\"; } map $d $e { default \"e$d\"; }",
                "location / { return 200 $c; } location /circle { return 200 \"[$d]\"; }"));
  CHECK(body(s, "/?a=x") == "one");
  CHECK(body(s, "/?a=y") == "none");
  CHECK(get(s.url("/circle")).status == 200);
  CHECK(s.wait_for_log("cycle while evaluating variable \"d\""));
}

TEST_CASE("set replaces a map's value from then on") {
  Server s(site("map $arg_a $b { default map; }", "location / { if ($arg_s) { set $b set; } return 200 $b; }"));
  CHECK(body(s, "/") == "map");
  CHECK(body(s, "/?s=1") == "set");
}

TEST_CASE("map reads what it includes") {
  Server s(site("map $arg_a $b { include %%DIR%%/more; default none; }", "location / { return 200 $b; }"), {{"more", "one 1;\ntwo 2;\n"}});
  CHECK(body(s, "/?a=two") == "2");
}

TEST_CASE("map is refused in nginx's words") {
  CHECK_THAT(refused("map $uri b { }"), ContainsSubstring("invalid variable name \"b\""));
  CHECK_THAT(refused("map $uri $host { }"), ContainsSubstring("the duplicate \"host\" variable"));
  CHECK_THAT(refused("map $uri $b { a 1; A 2; }"), ContainsSubstring("conflicting parameter \"A\""));
  CHECK_THAT(refused("map $uri $b { default 1; default 2; }"), ContainsSubstring("duplicate default map parameter"));
  CHECK_THAT(refused("map $uri $b { a b c; }"), ContainsSubstring("invalid number of the map parameters"));
  CHECK_THAT(refused("map $uri $b { hostnames; a*b 1; }"), ContainsSubstring("invalid hostname or wildcard \"a*b\""));
  CHECK_THAT(refused("map $uri $b { hostnames; a..b 1; }"), ContainsSubstring("invalid hostname or wildcard \"a..b\""));
  CHECK_THAT(refused("map $uri $b { \"~(\" 1; }"), ContainsSubstring("pcre2_compile() failed"));
  CHECK_THAT(refused("map $uri $b { a $nobody; }"), ContainsSubstring("unknown \"nobody\" variable"));
  CHECK_THAT(refused("map $uri $b { a 1;\nb 2;\n\nA 3; }"), ContainsSubstring("conf:") && ContainsSubstring("conflicting parameter"));
}

// The parts are those that nginx puts these texts into.
TEST_CASE("split_clients divides as nginx does") {
  Server s(site("split_clients $arg_a $b { 51.2% first; 10% second; * other; } split_clients $arg_a $c { 100% all; } "
                "split_clients \"${arg_a}\" $d { 0.01% never; }",
                "location / { return 200 \"$b $c [$d]\"; }"));
  for (const auto& [text, part] : {std::pair{"1", "first"}, {"3", "second"}, {"7", "other"}, {"8", "first"}, {"ab", "first"},
                                   {"abc", "first"}, {"client", "first"}, {"abcdefg", "other"}}) {
    INFO(text);
    CHECK(body(s, std::string("/?a=") + text) == std::string(part) + " all []");
  }
}

TEST_CASE("split_clients is refused in nginx's words") {
  CHECK_THAT(refused("split_clients $uri $b { 1 a; }"), ContainsSubstring("invalid percent value \"1\""));
  CHECK_THAT(refused("split_clients $uri $b { 0% a; }"), ContainsSubstring("invalid percent value \"0%\""));
  CHECK_THAT(refused("split_clients $uri $b { 1.234% a; }"), ContainsSubstring("invalid percent value \"1.234%\""));
  CHECK_THAT(refused("split_clients $uri $b { 60% a; 50% b; }"), ContainsSubstring("percent total is greater than 100%"));
  CHECK_THAT(refused("split_clients $uri $b { 60% a; * b; 10% c; }"), ContainsSubstring("percent total is greater than 100%"));
  CHECK_THAT(refused("split_clients $uri b { }"), ContainsSubstring("invalid variable name \"b\""));
}

TEST_CASE("what set or a named capture has written goes before a map, geo or split_clients, wherever that stands") {
  const std::string server = site("", "location /set { set $a set; set $b set; set $c set; return 200 \"$a $b $c\"; } "
                                      "location ~ ^/name/(?<a>.)(?<b>.)(?<c>.) { return 200 \"$a $b $c\"; } location / { return 200 \"$a $b $c\"; }");
  const std::string values = "map $uri $a { default map; } geo $B { default geo; } split_clients $uri $c { * split; } ";
  for (const std::string& text : {server + values, values + server}) {
    Server s(text);
    CHECK(body(s, "/set") == "set set set");
    CHECK(body(s, "/name/xyz") == "x y z");
    if (text.starts_with(" server")) CHECK(body(s, "/") == "map geo split");
  }
}
