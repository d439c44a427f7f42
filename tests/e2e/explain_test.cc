// seawall explain: what it says is what the server does.
#include "catch.h"
#include "e2e/curl.h"
#include "e2e/tls_ask.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

const std::string kSites = R"(
map $arg_lang $language { default en; de de; }
geo $near { default no; 127.0.0.0/8 yes; 192.0.2.0/24 lab; }
server {
  listen 127.0.0.1:%%PORT_0%%; server_name a.test *.a.test; root %%DIR%%/html; add_header X-Server a;
  error_page 404 /missing.html;
  if ($arg_old) { rewrite ^/old/(.*)$ /new/$1; }
  location = / { return 302 /start; }
  location / { try_files $uri $uri/ /fallback.html; }
  location /new/ { add_header X-New "$language $near"; if ($near = lab) { return 403; } index start.html; }
  location ^~ /images/ { return 200 images; }
  location ~ \.php$ { return 200 "php $uri"; }
  location /strict { return 404; }
  location /named { try_files /none @named; }
  location @named { return 200 named; }
  location /circle { rewrite ^ /circle last; }
  location /gone { return 444; }
}
server { listen 127.0.0.1:%%PORT_0%%; server_name b.test; location / { return 200 b; } }
server { listen 127.0.0.1:%%PORT_1%% ssl; server_name a.test; ssl_certificate %%DIR%%/a.crt; ssl_certificate_key %%DIR%%/a.key;
  location / { return 200 "$scheme $ssl_protocol"; } }
)";

Files files() {
  Files all{{"html/file.txt", "file"}, {"html/folder/x", "x"}, {"html/fallback.html", "fallback"}, {"html/missing.html", "missing"},
            {"html/new/start.html", "start"}};
  add(all, "a", make_certificate({"a.test"}));
  return all;
}

Run explain(const Server& s, const std::vector<std::string>& more) {
  std::vector<std::string> arguments{"explain", "-p", s.folder() + "/", "-c", "nginx.conf", "-g", "pid " + s.folder() + "/nginx.pid; user root;"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_server(arguments, s.folder());
}

}  // namespace

TEST_CASE("explain and the server agree about every URL") {
  Server s(kSites, files());
  for (const char* host : {"a.test", "www.a.test", "b.test", "none.test"})
    for (const char* target : {"/", "/file.txt", "/folder", "/folder/", "/nothing", "/new/", "/new/?lang=de", "/old/?old=1", "/images/a.php", "/x.php",
                               "/strict", "/named", "/circle", "/%2e%2e/x", "/new/none"}) {
      INFO(host << target);
      RawClient c(s.port());
      c.send(std::string("GET ") + target + " HTTP/1.1\r\nHost: " + host + ":" + std::to_string(s.port()) + "\r\nConnection: close\r\n\r\n");
      const Response real = c.read_response();
      const Run run = explain(s, {"GET", "http://" + std::string(host) + ":" + std::to_string(s.port()) + target});
      CHECK(run.exit_code == 0);
      CHECK_THAT(run.out, ContainsSubstring("HTTP/1.1 " + std::to_string(real.status) + " "));
      for (const char* field : {"Content-Length", "Content-Type", "Location", "X-Server", "X-New", "ETag"})
        if (real.count(field)) CHECK_THAT(run.out, ContainsSubstring(std::string(field) + ": " + real.header(field) + "\r\n") ||
                                                       ContainsSubstring(std::string(field) + ": " + real.header(field) + "\n"));
    }
}

TEST_CASE("explain says which server, which location, why not the others, and what holds there") {
  Server s(kSites, files());
  const std::string site = "http://www.a.test:" + std::to_string(s.port());
  const std::string php = explain(s, {"GET", site + "/images/a.php"}).out;
  CHECK_THAT(php, ContainsSubstring("listen 127.0.0.1:" + std::to_string(s.port()) + "\n"));
  CHECK_THAT(php, ContainsSubstring("server \"a.test\" in ") && ContainsSubstring("nginx.conf:6"));
  CHECK_THAT(php, ContainsSubstring("path /images/a.php: location ^~ /images/ in "));
  CHECK_THAT(php, ContainsSubstring("not location ~ \\.php$ in ") && ContainsSubstring(": what was found before ends the search"));
  CHECK_THAT(php, ContainsSubstring("not location = / in ") && ContainsSubstring(": the path is another"));
  CHECK_THAT(php, ContainsSubstring("rewrite: rewrite answers 200"));
  CHECK_THAT(php, ContainsSubstring("in force:\n") && ContainsSubstring("  add_header X-Server a; in ") && ContainsSubstring(", of server\n"));
  const std::string tried = explain(s, {"GET", site + "/nothing"}).out;
  CHECK_THAT(tried, ContainsSubstring("try_files: " + s.folder() + "/html/nothing is not there\n"));
  CHECK_THAT(tried, ContainsSubstring("internal redirect to /fallback.html"));
  CHECK_THAT(tried, ContainsSubstring("file: " + s.folder() + "/html/fallback.html\n"));
  const std::string moved = explain(s, {"GET", site + "/old/?old=1"}).out;
  CHECK_THAT(moved, ContainsSubstring("if ($arg_old) in ") && ContainsSubstring(": yes\n"));
  CHECK_THAT(moved, ContainsSubstring("rewrite ^/old/(.*)$ /new/$1 in ") && ContainsSubstring(": the path is /new/?old=1\n"));
  CHECK_THAT(moved, ContainsSubstring("index: " + s.folder() + "/html/new/start.html is there\n"));
  CHECK_THAT(explain(s, {"GET", site + "/strict"}).out, ContainsSubstring("error_page for 404: goes on at /missing.html\n"));
  CHECK_THAT(explain(s, {"GET", site + "/gone"}).out, ContainsSubstring("no response"));
}

TEST_CASE("explain takes fields and the client's address, and shakes hands with a TLS server") {
  Server s(kSites, files());
  const std::string site = "http://a.test:" + std::to_string(s.port());
  CHECK_THAT(explain(s, {"--from", "192.0.2.7", "GET", site + "/new/"}).out, ContainsSubstring("HTTP/1.1 403 "));
  CHECK_THAT(explain(s, {"-H", "Host: b.test", "GET", site + "/"}).out, ContainsSubstring("server \"b.test\" in "));
  CHECK_THAT(explain(s, {"-H", "Range: bytes=0-1", "GET", site + "/file.txt"}).out, ContainsSubstring("HTTP/1.1 206 "));
  CHECK_THAT(explain(s, {"POST", site + "/file.txt"}).out, ContainsSubstring("HTTP/1.1 405 "));
  CHECK_THAT(explain(s, {"GET", "https://a.test:" + std::to_string(s.port(1)) + "/"}).out, ContainsSubstring("HTTP/1.1 200 ") && ContainsSubstring("Content-Length: 13"));
  CHECK(s.read("access.log") == "");
}

TEST_CASE("explain shows the directives of the right one of blocks that begin on one line") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; server_name a.test; add_header X a; location /x { return 200; } "
           "location /y { return 201; if ($arg_z) { return 202; } } } "
           "server { listen 127.0.0.1:%%PORT_0%%; server_name b.test; add_header X b; location /x { return 203; } }");
  const auto of = [&](const std::string& host, const std::string& target) {
    return explain(s, {"GET", "http://" + host + ":" + std::to_string(s.port()) + target}).out;
  };
  CHECK_THAT(of("a.test", "/x"), ContainsSubstring("  return 200; in ") && ContainsSubstring("  add_header X a; in "));
  CHECK_THAT(of("a.test", "/y"), ContainsSubstring("  return 201; in ") && ContainsSubstring("  add_header X a; in "));
  const std::string b = of("b.test", "/x");
  CHECK_THAT(b, ContainsSubstring("  return 203; in ") && ContainsSubstring("  add_header X b; in ") && !ContainsSubstring("X a"));
}

TEST_CASE("explain says what holds where a handler is not asked, or nobody answers") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; location / { proxy_pass http://127.0.0.1:1; gzip on; } location /gone { return 444; } }");
  const std::string site = "http://a.test:" + std::to_string(s.port());
  const std::string proxied = explain(s, {"GET", site + "/"}).out;
  CHECK_THAT(proxied, ContainsSubstring("content: proxy would answer; it is not asked\n") && ContainsSubstring("\nfilters: ") &&
                          ContainsSubstring("no response") && ContainsSubstring("  gzip on; in "));
  CHECK_THAT(explain(s, {"GET", site + "/gone"}).out, ContainsSubstring("no response") && ContainsSubstring("  return 444; in "));
}

TEST_CASE("explain refuses what is no question") {
  Server s(kSites, files());
  CHECK_THAT(explain(s, {"GET", "a.test/"}).err, ContainsSubstring("\"a.test/\" is no URL"));
  CHECK_THAT(explain(s, {"GET", "http://a.test:1/"}).err, ContainsSubstring("no server listens on port 1 without ssl"));
  CHECK_THAT(explain(s, {"--from", "nowhere", "GET", "http://a.test:" + std::to_string(s.port())}).err, ContainsSubstring("\"nowhere\" is no address"));
  CHECK(explain(s, {"GET", "ftp://a.test/"}).exit_code == 1);
}

TEST_CASE("explain runs echo, which asks nobody, and names the filters") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; location / { echo said; gzip on; add_header X-A a; } }");
  const std::string said = explain(s, {"GET", "http://a.test:" + std::to_string(s.port()) + "/"}).out;
  CHECK_THAT(said, ContainsSubstring("content: echo answers 200") && ContainsSubstring("HTTP/1.1 200 ") && !ContainsSubstring("not asked"));
  CHECK_THAT(said, ContainsSubstring("\nfilters: not_modified of core, headers, compress, range of core\n"));
}
