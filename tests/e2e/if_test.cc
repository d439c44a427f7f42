// The directive if.
#include "catch.h"
#include "e2e/curl.h"
#include "e2e/raw_client.h"
#include "e2e/server.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string server(std::string_view inside) {
  return std::string("server { listen 127.0.0.1:%%PORT_0%%; server_name site.test; ").append(inside).append(" }");
}

std::string body(const Server& s, const std::string& path) { return get(s.url(path)).body; }

// What `if (CONDITION)` says of each request.
std::string asks(std::string_view condition) {
  return server(std::string("location / { if (").append(condition).append(") { return 200 yes; } return 200 no; }"));
}

}  // namespace

TEST_CASE("if asks whether a value is there") {
  Server s(asks("$arg_a"));
  CHECK(body(s, "/?a=1") == "yes");
  CHECK(body(s, "/?a=00") == "yes");
  CHECK(body(s, "/?a=0") == "no");
  CHECK(body(s, "/?a=") == "no");
  CHECK(body(s, "/") == "no");
}

TEST_CASE("if compares texts, also with variables and with spaces at the brackets") {
  Server s(server("location /eq { if ( $arg_a = \"$arg_b\" ) { return 200 yes; } return 200 no; } "
                  "location /ne { if ($arg_a != x) { return 200 yes; } return 200 no; }"));
  CHECK(body(s, "/eq?a=1&b=1") == "yes");
  CHECK(body(s, "/eq?a=1&b=12") == "no");
  CHECK(body(s, "/eq") == "yes");
  CHECK(body(s, "/ne?a=x") == "no");
  CHECK(body(s, "/ne?a=xx") == "yes");
}

TEST_CASE("if matches regexes, whose captures stay") {
  Server s(server("location /cs { if ($arg_a ~ ^A(.*)(?<last>.)$) { return 200 \"$1 $last\"; } return 200 no; } "
                  "location /ci { if ($arg_a ~* ^a) { return 200 yes; } return 200 no; } "
                  "location /ncs { if ($arg_a !~ ^A) { return 200 yes; } return 200 no; } "
                  "location /nci { if ($arg_a !~* ^a) { return 200 yes; } return 200 no; } "
                  "location /two { if ($arg_a ~ ^(.)) { set $x $1; } if ($arg_b ~ ^(.)) { set $y $1; } return 200 \"$x$y$1\"; }"));
  CHECK(body(s, "/cs?a=Abcd") == "bc d");
  CHECK(body(s, "/cs?a=abcd") == "no");
  CHECK(body(s, "/ci?a=Abcd") == "yes");
  CHECK(body(s, "/ci?a=bcd") == "no");
  CHECK(body(s, "/ncs?a=abcd") == "yes");
  CHECK(body(s, "/ncs?a=Abcd") == "no");
  CHECK(body(s, "/nci?a=Abcd") == "no");
  CHECK(body(s, "/two?a=1&b=2") == "122");
  CHECK(body(s, "/two?a=1") == "1");  // a regex that does not match clears $1
}

TEST_CASE("if looks at files") {
  Server s(server("set $root %%DIR%%/html; "
                  "location /f/ { if (-f $root$arg_p) { return 200 yes; } return 200 no; } "
                  "location /nf/ { if (!-f $root$arg_p) { return 200 yes; } return 200 no; } "
                  "location /d/ { if (-d $root$arg_p) { return 200 yes; } return 200 no; } "
                  "location /e/ { if (-e $root$arg_p) { return 200 yes; } return 200 no; } "
                  "location /ne/ { if (!-e $root$arg_p) { return 200 yes; } return 200 no; } "
                  "location /x/ { if (-x $root$arg_p) { return 200 yes; } return 200 no; }"),
           {{"html/file", "f"}, {"html/folder/file", "f"}});
  for (const auto& [test, of_file, of_folder, of_nothing] : {std::array{"/f/", "yes", "no", "no"}, {"/nf/", "no", "yes", "yes"},
                                                             {"/d/", "no", "yes", "no"}, {"/e/", "yes", "yes", "no"},
                                                             {"/ne/", "no", "no", "yes"}, {"/x/", "no", "yes", "no"}}) {
    INFO(test);
    CHECK(body(s, std::string(test) + "?p=/file") == of_file);
    CHECK(body(s, std::string(test) + "?p=/folder") == of_folder);
    CHECK(body(s, std::string(test) + "?p=/none") == of_nothing);
    CHECK(body(s, std::string(test) + "?p=/file/below") == of_nothing);
  }
}

TEST_CASE("if in a server decides before locations are searched") {
  Server s(server("if ($arg_a) { rewrite ^ /moved?; set $why a; } if ($arg_b = 1) { return 403; } "
                  "location /moved { return 200 \"moved $why $args\"; } location / { return 200 \"$uri\"; }"));
  CHECK(body(s, "/x?a=1") == "moved a ");
  CHECK(body(s, "/x") == "/x");
  CHECK(get(s.url("/x?b=1")).status == 403);
}

TEST_CASE("the settings of the last if that was entered hold for the rest of the request") {
  Server s(server("root %%DIR%%/html; location /a/ { add_header X-Outer outer; "
                  "if ($arg_one) { add_header X-One one; } if ($arg_two) { add_header X-Two two; root %%DIR%%/other; } }"),
           {{"html/a/f", "html"}, {"other/a/f", "other"}});
  const Response none = get(s.url("/a/f"));
  CHECK(none.header("X-Outer") == "outer");
  CHECK(none.body == "html");
  const Response one = get(s.url("/a/f?one=1"));
  CHECK(one.header("X-One") == "one");
  CHECK(one.count("X-Outer") == 0);  // add_header of an inner block replaces those outside
  CHECK(one.body == "html");
  const Response both = get(s.url("/a/f?one=1&two=1"));
  CHECK(both.header("X-Two") == "two");
  CHECK(both.count("X-One") == 0);
  CHECK(both.body == "other");
}

TEST_CASE("instructions behind an if go on, unless it ends them") {
  Server s(server("location / { set $a 0; if ($arg_a) { set $a 1; if ($arg_b) { set $a \"$a+nested\"; } } set $b after; return 200 \"$a $b\"; } "
                  "location /break { set $c 1; if ($arg_a) { break; } set $c 2; add_header X-C $c; root %%DIR%%/html; } "
                  "location /last { if ($arg_a) { rewrite ^ /other last; return 403; } return 404; } location /other { return 200 other; }"),
           {{"html/break", "file"}});
  CHECK(body(s, "/") == "0 after");
  CHECK(body(s, "/?a=1") == "1 after");
  CHECK(body(s, "/?a=1&b=1") == "1+nested after");
  CHECK(body(s, "/?b=1") == "0 after");
  CHECK(get(s.url("/break?a=1")).header("X-C") == "1");
  CHECK(get(s.url("/break")).header("X-C") == "2");
  CHECK(body(s, "/last?a=1") == "other");
}

TEST_CASE("error pages and logs of an if are its own") {
  Server s(server("error_page 404 = @outer; location @outer { return 200 outer; } location @inner { return 200 inner; } "
                  "location /a { root %%DIR%%/html; if ($arg_x) { error_page 404 = @inner; } "
                  "if ($arg_quiet) { access_log off; } access_log %%DIR%%/seen.log; }"));
  CHECK(body(s, "/a") == "outer");
  CHECK(body(s, "/a?x=1") == "inner");
}

TEST_CASE("an if in a nested location and below a regex keeps alias and captures") {
  Server s(server("location /outer/ { location /outer/in/ { alias %%DIR%%/html/; if ($arg_x) { add_header X-If in; } } } "
                  "location ~ ^/re/(.+)$ { if ($arg_x) { return 200 \"re $1\"; } return 200 \"no $1\"; }"),
           {{"html/f", "file"}});
  const Response r = get(s.url("/outer/in/f?x=1"));
  CHECK(r.body == "file");
  CHECK(r.header("X-If") == "in");
  CHECK(get(s.url("/outer/in/f")).count("X-If") == 0);
  CHECK(body(s, "/re/a?x=1") == "re a");
  CHECK(body(s, "/re/a") == "no a");
}

TEST_CASE("conditions are refused in nginx's words") {
  const auto refused = [](const std::string& inside) { return check_config(server(inside)).err; };
  CHECK_THAT(refused("if $a { }"), ContainsSubstring("invalid condition \"$a\""));
  CHECK_THAT(refused("if ($uri { }"), ContainsSubstring("invalid condition \"($uri\"") || ContainsSubstring("invalid condition \"$uri\""));
  CHECK_THAT(refused("if ($uri =) { }"), ContainsSubstring("invalid condition \"$uri\""));
  CHECK_THAT(refused("if ($uri == a) { }"), ContainsSubstring("unexpected \"==\" in condition"));
  CHECK_THAT(refused("if (-g a) { }"), ContainsSubstring("invalid condition \"-g\""));
  CHECK_THAT(refused("if (-f) { }"), ContainsSubstring("invalid condition \"-f\""));
  CHECK_THAT(refused("if (a = b) { }"), ContainsSubstring("invalid condition \"a\""));
  CHECK_THAT(refused("if () { }"), ContainsSubstring("invalid condition"));
  CHECK_THAT(refused("if ($uri ~ \"(\") { }"), ContainsSubstring("pcre2_compile() failed"));
  CHECK_THAT(refused("if ($uri) { listen 80; }"), ContainsSubstring("\"listen\" directive is not allowed here"));
  CHECK_THAT(refused("if ($uri) { root /a; }"), ContainsSubstring("\"root\" directive is not allowed here"));
  CHECK_THAT(refused("if ($nobody) { }"), ContainsSubstring("unknown \"nobody\" variable"));
  CHECK_THAT(refused("if ($uri);"), ContainsSubstring("directive \"if\" has no opening \"{\""));
}
