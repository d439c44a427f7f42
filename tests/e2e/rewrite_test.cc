// The directives rewrite, set and break.
#include "catch.h"
#include "e2e/curl.h"
#include "e2e/raw_client.h"
#include "e2e/server.h"
#include "e2e/upstream.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string server(std::string_view inside) {
  return std::string("server { listen 127.0.0.1:%%PORT_0%%; server_name site.test; ").append(inside).append(" }");
}

std::string body(const Server& s, const char* path) { return get(s.url(path)).body; }
std::string location(const Server& s, const char* path) { return get(s.url(path)).header("Location"); }

// As it is sent, without what a client library would make of it.
Response raw(const Server& s, const std::string& target) {
  RawClient c(s.port());
  c.send("GET " + target + " HTTP/1.1\r\nHost: site.test\r\n\r\n");
  return c.read_response();
}

}  // namespace

TEST_CASE("rewrite moves a request to another location, with its arguments") {
  Server s(server("rewrite ^/server/(.*)$ /shown/$1; "
                  "location /shown { return 200 \"$uri $args\"; } "
                  "location /a/ { rewrite ^/a/(?<rest>.*)$ /shown/$rest last; return 404; } "
                  "location /b/ { rewrite ^/b/(.*)$ /shown?x=$1; } "
                  "location /c/ { rewrite ^/c/(.*)$ /shown? last; } "
                  "location /d/ { rewrite ^/d/ /shown/$arg_to; } "
                  "location /e/ { rewrite ^/none /shown; return 200 same; }"));
  CHECK(body(s, "/server/x?y=1") == "/shown/x y=1");
  CHECK(body(s, "/a/x/y?q") == "/shown/x/y q");
  CHECK(body(s, "/b/v?y=1") == "/shown x=v&y=1");
  CHECK(body(s, "/b/v") == "/shown x=v");
  CHECK(body(s, "/c/v?y=1") == "/shown ");
  CHECK(body(s, "/d/?to=z") == "/shown/z to=z");
  CHECK(body(s, "/e/") == "same");
}

TEST_CASE("rewrite with break stays where it is, and the file of the new URI is sent") {
  Server s(server("root %%DIR%%/html; location /pages/ { rewrite ^/pages/(.*)$ /files/$1.txt break; return 404; } "
                  "location /files/ { return 403; }"), {{"html/files/a.txt", "text"}});
  CHECK(body(s, "/pages/a") == "text");
  CHECK(get(s.url("/files/a.txt")).status == 403);
}

TEST_CASE("rewrite redirects when it says so or names a site") {
  Server s(server("location /r/ { rewrite ^/r/(.*)$ /to/$1 redirect; } location /p/ { rewrite ^/p/(.*)$ /to/$1? permanent; } "
                  "location /u/ { rewrite ^/u/(.*)$ http://other.test/$1; } location /s/ { rewrite ^ $scheme://$host$uri/x; }"));
  const Response r = get(s.url("/r/a?x=1"), {"Host: site.test"});
  CHECK(r.status == 302);
  CHECK_THAT(r.header("Location"), ContainsSubstring("/to/a?x=1"));
  CHECK(get(s.url("/p/a?x=1")).status == 301);
  CHECK_THAT(location(s, "/p/a?x=1"), ContainsSubstring("/to/a") && !ContainsSubstring("?"));
  CHECK(location(s, "/u/a") == "http://other.test/a");
  CHECK_THAT(location(s, "/s/a"), ContainsSubstring("http://127.0.0.1/s/a/x"));
}

TEST_CASE("what a client has encoded can neither end a Location nor begin another argument") {
  Server s(server("location /r/ { rewrite (?s)^/r/(.*)$ /to/$1 redirect; } location /a/ { rewrite ^/a/(.*)$ /shown?x=$1; } "
                  "location /shown { return 200 \"$args\"; }"));
  CHECK_THAT(raw(s, "/r/a%0d%0aSet-Cookie:%20x").header("Location"), ContainsSubstring("/to/a%0D%0ASet-Cookie:%20x"));
  CHECK(raw(s, "/r/a%0d%0aSet-Cookie:%20x").count("Set-Cookie") == 0);
  CHECK_THAT(raw(s, "/r/a%3Fb%23c").header("Location"), ContainsSubstring("/to/a%3Fb%23c"));
  CHECK(raw(s, "/a/1%26admin=1%20").body == "x=1%26admin=1%20");
}

TEST_CASE("a redirect to a variable's URL is written out, and brings no line end") {
  Server s(server("location /u { rewrite ^ $arg_u redirect; } location /d { rewrite ^ http://other.test$uri permanent; }"));
  CHECK(raw(s, "/u?u=http%3A%2F%2Fexample.test%2Fa%3Fb%3Dc%26d").header("Location") == "http://example.test/a?b%3Dc%26d?u=http%3A%2F%2Fexample.test%2Fa%3Fb%3Dc%26d");
  CHECK_THAT(raw(s, "/u?u=http%3A%2F%2Fexample.test%0D%0ASet-Cookie").header("Location"), ContainsSubstring("http://example.test%0D%0ASet-Cookie"));
  CHECK(raw(s, "/d%0d%0aSet-Cookie:x").count("Set-Cookie") == 0);
}

TEST_CASE("set of a prefix variable leaves the others, and where it has not run it is what it was") {
  Server s(server("location /a { set $http_foo set; return 200 $http_foo; } location /b { return 200 $http_foo; }"));
  CHECK(get(s.url("/a"), {"Foo: client"}).body == "set");
  CHECK(get(s.url("/b"), {"Foo: client"}).body == "client");
}

TEST_CASE("an error page of a redirect keeps its Location") {
  Server s(server("location /a { error_page 302 /text; return 302 http://other.test/; } location /text { return 200 text; }"));
  const Response r = get(s.url("/a"));
  CHECK(r.status == 302);
  CHECK(r.header("Location") == "http://other.test/");
  CHECK(r.body == "text");
}

TEST_CASE("a URI that rewrite may not make is a 500, and a circle ends") {
  Server s(server("root %%DIR%%/html; location /up/ { rewrite ^ /files/$arg_f break; } location /bare/ { rewrite ^ $arg_f; } "
                  "location /circle { rewrite ^ /circle; }"), {{"html/files/a", "a"}, {"secret", "s"}});
  CHECK(body(s, "/up/?f=a") == "a");
  CHECK(raw(s, "/up/?f=../../secret").status == 500);
  CHECK(raw(s, "/bare/?f=x/../../secret").status == 500);
  CHECK(raw(s, "/bare/").status == 500);
  CHECK(raw(s, "/circle").status == 500);
  CHECK(s.wait_for_log("the rewritten URI has a zero length"));
  CHECK(s.wait_for_log("rewrite or internal redirection cycle"));
}

TEST_CASE("set gives variables values, in the order written") {
  Server s(server("set $a server; location / { set $b \"$a-$arg_x\"; set $a location; return 200 \"$a $b $c\"; set $c late; } "
                  "location /args { set $args y=2; return 200 $args; } "
                  "location ~ ^/re/(?<part>.*)$ { set $part ${part}!; return 200 $part; } "
                  "location /move { set $kept yes; rewrite ^ /after; } location /after { return 200 $kept; } "
                  "location /quiet { uninitialized_variable_warn off; return 200 \"[$d]\"; set $d d; }"));
  CHECK(body(s, "/?x=1") == "location server-1 ");
  CHECK(s.wait_for_log("\\[warn\\] .*using uninitialized \"c\" variable"));
  CHECK(body(s, "/args?x=1") == "y=2");
  CHECK(body(s, "/re/a") == "a!");
  CHECK(body(s, "/move") == "yes");
  CHECK(body(s, "/quiet") == "[]");
  CHECK(s.error_log().find("uninitialized \"d\"") == std::string::npos);
}

TEST_CASE("break ends the instructions of its block") {
  Server s(server("location / { set $a 1; break; set $a 2; return 403; } add_header X-A $a; location /r { rewrite ^ /x; break; return 403; } "
                  "location /x { return 200 x; } root %%DIR%%/html;"), {{"html/f", "file"}, {"html/x", "file of x"}});
  const Response r = get(s.url("/f"));
  CHECK(r.body == "file");
  CHECK(r.header("X-A") == "1");
  CHECK(body(s, "/r") == "file of x");  // as in nginx: the URI is another, the location is the same
}

TEST_CASE("rewrite_log tells what rewrite does") {
  Server s(server("rewrite_log on; rewrite ^/a$ /b; location /b { return 204; }"));
  CHECK(get(s.url("/a")).status == 204);
  CHECK(s.wait_for_log("\\[notice\\] .*\"\\^/a\\$\" matches \"/a\""));
  CHECK(s.wait_for_log("\\[notice\\] .*rewritten data: \"/b\", args: \"\""));
  CHECK(get(s.url("/b")).status == 204);
  CHECK(s.wait_for_log("\\[notice\\] .*\"\\^/a\\$\" does not match \"/b\""));
}

TEST_CASE("rewrite and set are refused in nginx's words") {
  const auto refused = [](const std::string& inside) { return check_config(server(inside)).err; };
  CHECK_THAT(refused("rewrite ^ /x never;"), ContainsSubstring("invalid parameter \"never\""));
  CHECK_THAT(refused("rewrite ( /x;"), ContainsSubstring("pcre2_compile() failed"));
  CHECK_THAT(refused("rewrite ^;"), ContainsSubstring("invalid number of arguments in \"rewrite\" directive"));
  CHECK_THAT(refused("set a b;"), ContainsSubstring("invalid variable name \"a\""));
  CHECK_THAT(refused("set $uri b;"), ContainsSubstring("the duplicate \"uri\" variable"));
  CHECK_THAT(refused("return 200 $nobody;"), ContainsSubstring("unknown \"nobody\" variable"));
}

namespace {

// Answers with the line it was asked.
void say_line(RawClient& c) {
  const std::string head = c.read_until("\r\n\r\n"), line = head.substr(0, head.find(" HTTP/1."));
  c.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(line.size()) + "\r\n\r\n" + line);
}

}  // namespace

TEST_CASE("a rewrite to a path without a slash is passed on: the way to hand a path on as the client has escaped it") {
  Upstream up(say_line);
  Server s(server("location /foo/ { rewrite ^ $request_uri; rewrite ^/foo/(.*) $1 break; return 400; proxy_pass " + up.url() + "/$uri; } "
                  "location /go/ { rewrite ^/go/(.*) $1 break; proxy_pass " + up.url() + "; } "
                  "root %%DIR%%/html; location /name/ { rewrite ^/name/(.*) $1; } location /stay/ { rewrite ^/stay/(.*) $1 break; }"),
           {{"html/files/a", "a"}, {"htmlsecret", "secret"}});
  CHECK(raw(s, "/foo/a%2Fb").body == "GET /a%2Fb");
  CHECK(raw(s, "/foo/a%2Fb?x=/../1").body == "GET /a%2Fb?x=/../1");
  CHECK(raw(s, "/go/name").body == "GET /name");
  CHECK(raw(s, "/name/files/a").body == "a");
  CHECK(raw(s, "/stay/files/a").body == "a");
  for (const char* path : {"/name/secret", "/stay/secret"}) CHECK(raw(s, path).status == 404);
}

TEST_CASE("rewrite and an if behind it are of one location: what break leaves is passed on as it was rewritten") {
  Upstream up(say_line);
  Server s(server("location /w/ { rewrite ^/w/(.*) /new/$1; if ($arg_b) { break; } rewrite ^ /elsewhere break; proxy_pass " + up.url() + "/base/; } "
                  "location /if/ { if ($arg_b) { break; } proxy_pass " + up.url() + "/base/; }"));
  CHECK(body(s, "/w/a?b=1") == "GET /new/a?b=1");
  CHECK(body(s, "/if/a?b=1") == "GET /base/a?b=1");
}

TEST_CASE("a regex of rewrite that does not match clears the captures, one of a location leaves them") {
  Server s(server("location ~ ^/c/(.*)$ { set $before $1; rewrite ^/none /x; return 200 \"$before[$1]\"; } "
                  "location ~ ^/never/(.*)$ { return 200 never; } location ~ ^/l/(.*)$ { return 200 $1; }"));
  CHECK(body(s, "/c/a") == "a[]");
  CHECK(body(s, "/l/a") == "a");
}

TEST_CASE("captures inside each other go to several arguments") {
  Server s(server("rewrite ^/s/((.*)) /x?p=$1&q=$2; location /l/ { rewrite ^/l/((.)(.*)) /x?p=$3&q=$1&r=$2 redirect; } "
                  "location /x { return 200 \"$arg_p|$arg_q|$args\"; }"));
  CHECK(raw(s, "/s/abc").body == "abc|abc|p=abc&q=abc");
  CHECK(raw(s, "/s/a%20%26b?c").body == "a%20%26b|a%20%26b|p=a%20%26b&q=a%20%26b&c");
  CHECK_THAT(raw(s, "/l/a%3Fb?c").header("Location"), ContainsSubstring("/x?p=%3Fb&q=a%3Fb&r=a&c"));
}

TEST_CASE("captures are escaped in a Location where the client has escaped something, in arguments always") {
  Server s(server("location /r/ { rewrite ^/r/(.*)$ /to/$1 redirect; } location /a/ { rewrite ^/a/(.*)$ /shown?x=$1; } "
                  "location /shown { return 200 \"$args\"; }"));
  CHECK_THAT(raw(s, "/r/a;b&c").header("Location"), Catch::Matchers::EndsWith("/to/a;b&c"));
  CHECK_THAT(raw(s, "/r/a;b%20c").header("Location"), Catch::Matchers::EndsWith("/to/a%3Bb%20c"));
  CHECK_THAT(raw(s, "/r/a;b+c").header("Location"), Catch::Matchers::EndsWith("/to/a%3Bb%2Bc"));
  CHECK(raw(s, "/a/1&admin=1").body == "x=1%26admin=1");
}

TEST_CASE("named captures are variables whatever their case, and none of the server's own") {
  Server s(server("location ~ ^/a/(?<Name>.*)$ { return 200 \"$name $Name\"; } "
                  "location /b/ { if ($uri ~ ^/b/(?<userID>.*)$) { rewrite ^/b/(?<Rest>.*) /shown?$userID-$REST? last; } } "
                  "location /shown { return 200 \"$args\"; }"));
  CHECK(body(s, "/a/x") == "x x");
  CHECK(body(s, "/b/y") == "y-y");
  const auto refused = [](const std::string& inside) { return check_config(server(inside)).err; };
  CHECK_THAT(refused("location ~ ^/(?<remote_addr>.*)$ { }"), ContainsSubstring("the duplicate \"remote_addr\" variable"));
  CHECK_THAT(refused("if ($uri ~ (?<Request_URI>.*)) { return 200; }"), ContainsSubstring("the duplicate \"request_uri\" variable"));
  CHECK_THAT(refused("return 200 $geoip_country_code;"), ContainsSubstring("\"geoip_country_code\" variable is not supported yet"));
  CHECK_THAT(refused("return 200 $http3;"), ContainsSubstring("\"http3\" variable is not supported yet"));
}
