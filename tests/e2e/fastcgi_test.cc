// FastCGI: to scripted servers, byte by byte, and to PHP-FPM.
#include "catch.h"
#include "e2e/curl.h"
#include "e2e/fastcgi_peer.h"
#include "e2e/paths.h"
#include "e2e/php_fpm.h"
#include "e2e/server.h"
#include "e2e/upstream.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string server(const std::string& inside, const std::string& outside = {}) {
  return outside + " server { listen 127.0.0.1:%%PORT_0%%; server_name site.test; root %%DIR%%/html; " + inside + " }";
}

std::string pass_to(const Upstream& up, const std::string& more = {}) {
  return server("location / { fastcgi_pass 127.0.0.1:" + std::to_string(up.port()) + "; " + more + " }");
}

// Answers one request with these bytes, as they are, and closes.
auto answer(std::string bytes) {
  return [bytes](RawClient& c) {
    read_fastcgi(c);
    c.send(bytes);
  };
}

// What the program sees, as its response.
std::string shown(const FastCgiRequest& request) {
  std::string text = "Content-Type: text/plain\r\n\r\n";
  for (const auto& [name, value] : request.params) text += name + "=" + value + "\n";
  return text + "body=" + request.body + "\n";
}
void show(RawClient& c) { c.send(fastcgi_response(shown(read_fastcgi(c)))); }

Response raw(const Server& s, const std::string& request) {
  RawClient c(s.port());
  c.send(request);
  return c.read_response();
}

}  // namespace

TEST_CASE("a FastCGI program sees params in the order written and the client's fields") {
  Upstream up(show);
  Server s(pass_to(up, "fastcgi_param A $uri; fastcgi_param EMPTY $arg_none; fastcgi_param GONE $arg_none if_not_empty; "
                       "fastcgi_param HTTP_X_SET set; fastcgi_param LONG " + std::string(300, 'l') + ";"));
  const Response r = raw(s, "GET /x?q HTTP/1.1\r\nHost: site.test\r\nX-One: 1\r\nX-One: 2\r\nCookie: a=1\r\nCookie: b=2\r\nX-Set: client\r\nProxy: evil\r\n\r\n");
  CHECK(r.status == 200);
  CHECK(r.header("Content-Type") == "text/plain");
  CHECK_THAT(r.body, ContainsSubstring("A=/x\n") && ContainsSubstring("EMPTY=\n") && !ContainsSubstring("GONE"));
  CHECK_THAT(r.body, ContainsSubstring("HTTP_X_ONE=1, 2\n") && ContainsSubstring("HTTP_COOKIE=a=1; b=2\n"));
  CHECK_THAT(r.body, ContainsSubstring("HTTP_X_SET=set\n") && !ContainsSubstring("HTTP_PROXY"));
  CHECK_THAT(r.body, ContainsSubstring("LONG=" + std::string(300, 'l') + "\n") && ContainsSubstring("HTTP_HOST=site.test\n"));
}

TEST_CASE("params that no record of FastCGI can hold go in several") {
  Upstream up(show);
  Server s("large_client_header_buffers 4 100k;" + pass_to(up, "fastcgi_param A a;"));
  for (const std::size_t size : {65'000u, 65'400u, 65'500u, 65'535u, 65'536u, 90'000u}) {
    const std::string value(size, 'v');
    const Response r = raw(s, "GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + value + "\r\nX-Last: l\r\n\r\n");
    CHECK(r.status == 200);
    CHECK(r.body.find("HTTP_X_LONG=" + value + "\n") != std::string::npos);
    CHECK_THAT(r.body, ContainsSubstring("A=a\n") && ContainsSubstring("HTTP_X_LAST=l\n"));
  }
}

TEST_CASE("bodies go to a FastCGI program in records, whatever their length") {
  Upstream up([](RawClient& c) {
    const FastCgiRequest request = read_fastcgi(c);
    c.send(fastcgi_response("\r\n" + std::to_string(request.body.size()) + " in " + (request.records_of_body > 1 ? "several" : "one") + " " +
                            request.params.at("LENGTH")));
  });
  for (const char* buffering : {"on", "off"}) {
    Server s(pass_to(up, "client_max_body_size 2m; fastcgi_param LENGTH $content_length; fastcgi_request_buffering " + std::string(buffering) + ";"));
    CHECK(raw(s, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello").body == "5 in one 5");
    CHECK(raw(s, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + std::string(200'000, 'b')).body == "200000 in several 200000");
    CHECK(raw(s, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").body == "0 in one 0");
  }
}

TEST_CASE("a FastCGI response may come in any pieces") {
  const std::string text = "Status: 201 Made\r\nX-A: b\r\n\r\nbody";
  std::string bytes;
  for (const char c : text) bytes += fastcgi_record(6, std::string(1, c), 5);
  bytes += fastcgi_record(6, "") + fastcgi_record(3, std::string(8, '\0'));
  Upstream up([&](RawClient& c) {
    read_fastcgi(c);
    for (const char byte : bytes) c.send(std::string(1, byte));
  });
  Server s(pass_to(up));
  const Response r = get(s.url());
  CHECK(r.status == 201);
  CHECK(r.header("X-A") == "b");
  CHECK(r.body == "body");
  CHECK(r.header("Status") == "");
}

TEST_CASE("what a FastCGI head says: status, redirects, nothing, a large body") {
  const auto of = [](const std::string& text) {
    Upstream up(answer(fastcgi_response(text)));
    Server s(pass_to(up));
    return get(s.url());
  };
  CHECK(of("Status: 404 Not Found\n\nno").status == 404);
  CHECK(of("Location: /else\r\n\r\n").status == 302);
  CHECK(of("\r\nbare").body == "bare");
  const std::string large(300'000, 'x');
  CHECK(of("\r\n" + large).body == large);
  CHECK(of("Content-Length: 3\r\n\r\nabcdef").body == "abc");
}

TEST_CASE("a FastCGI response that is none is a 502 with the reason in the log") {
  const auto refused = [](const std::string& bytes, const std::string& reason) {
    Upstream up(answer(bytes));
    Server s(pass_to(up));
    CHECK(get(s.url()).status == 502);
    CHECK(s.wait_for_log(reason));
  };
  std::string other = fastcgi_record(6, "\r\n");
  other[0] = 2;
  refused(other, "upstream sent unsupported FastCGI protocol version: 2 ");
  refused(fastcgi_record(9, ""), "upstream sent invalid FastCGI record type: 9 ");
  other = fastcgi_record(6, "\r\n");
  other[3] = 7;
  refused(other, "upstream sent unexpected FastCGI request id low byte: 7 ");
  refused(fastcgi_record(6, ""), "upstream prematurely closed FastCGI stdout ");
  refused(fastcgi_record(6, "Status: none\r\n\r\n"), "upstream sent invalid status \"none\"");
  refused(fastcgi_record(6, "no field\r\n\r\n"), "upstream sent invalid header");
  refused(fastcgi_record(6, "X-Long: " + std::string(60'000, 'x')), "upstream sent too big header");
  refused("", "upstream prematurely closed connection");
  refused(fastcgi_record(6, "Content-Length: 1\r\nContent-Length: 2\r\n\r\n"), "upstream sent duplicate header line");
}

TEST_CASE("a FastCGI response that breaks off is not taken for a whole one") {
  Upstream up(answer(fastcgi_record(6, "\r\nhalf")));
  Server s(pass_to(up));
  RawClient c(s.port());
  c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string all = c.read_all();
  CHECK_THAT(all, ContainsSubstring("half"));
  CHECK_THAT(all, !ContainsSubstring("\r\n0\r\n\r\n"));
  Upstream little(answer(fastcgi_response("Content-Length: 10\r\n\r\nshort")));
  Server t(pass_to(little));
  RawClient d(t.port());
  d.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK_THAT(d.read_all(), ContainsSubstring("Content-Length: 10\r\n") && ContainsSubstring("short"));
  CHECK(t.wait_for_log("upstream prematurely closed FastCGI stdout"));
}

TEST_CASE("what a FastCGI program says on its standard error is logged, and may make its response none") {
  const std::string bytes = fastcgi_record(7, "PHP Warning: hm.\n") + fastcgi_response("\r\nfine");
  Upstream up(answer(bytes));
  Server s(pass_to(up));
  CHECK(get(s.url()).body == "fine");
  CHECK(s.wait_for_log("FastCGI sent in stderr: \"PHP Warning: hm\" while reading response header from upstream, client:"));
  Upstream again(answer(bytes));
  Server t(pass_to(again, "fastcgi_catch_stderr Warning;"));
  CHECK(get(t.url()).status == 502);
}

TEST_CASE("fastcgi_keep_conn keeps the connection") {
  Upstream up([](RawClient& c) {
    for (int i = 0; i < 2; ++i) c.send(fastcgi_response("\r\n" + std::to_string(read_fastcgi(c).flags)));
  });
  Server s(server("location / { fastcgi_pass php; fastcgi_keep_conn on; } location /not { fastcgi_pass php; }",
                  "upstream php { server 127.0.0.1:" + std::to_string(up.port()) + "; keepalive 4; }"));
  CHECK(get(s.url()).body == "1");
  CHECK(get(s.url()).body == "1");
  CHECK(up.connections() == 1);
  CHECK(get(s.url("/not")).body == "0");
  CHECK(up.connections() == 2);
}

TEST_CASE("fastcgi_split_path_info and fastcgi_index name the program") {
  Upstream up(show);
  Server s(pass_to(up, "fastcgi_split_path_info ^(.+\\.php)(/.+)$; fastcgi_index main.php; fastcgi_param S $fastcgi_script_name; "
                       "fastcgi_param P $fastcgi_path_info;"));
  CHECK_THAT(get(s.url("/a/b.php/c/d")).body, ContainsSubstring("S=/a/b.php\n") && ContainsSubstring("P=/c/d\n"));
  CHECK_THAT(get(s.url("/a/")).body, ContainsSubstring("S=/a/main.php\n") && ContainsSubstring("P=\n"));
  CHECK_THAT(get(s.url("/a")).body, ContainsSubstring("S=/a\n"));
}

TEST_CASE("a rewrite to a name without a slash names no program beside the root") {
  Upstream up(show);
  const std::string address = "127.0.0.1:" + std::to_string(up.port()), rewrite = "location /n/ { rewrite ^/n/(.*) $1 break; ";
  const std::string asks = "fastcgi_pass " + address + "; fastcgi_param F $document_root$fastcgi_script_name; } ";
  Server s(server(rewrite + asks), {{"html-old/a.php", "old"}});
  CHECK_THAT(get(s.url("/n/-old/a.php")).body, ContainsSubstring("F=" + s.folder() + "/html/-old/a.php\n"));
  Server php(server("php_fastcgi " + address + "; " + rewrite + " }"), {{"html-old/a.php", "old"}, {"html/index.php", "front"}});
  CHECK(get(php.url("/n/-old/a.php")).status == 404);
}

TEST_CASE("gzip_static beside php_fastcgi: prepared files of files, and no program's text for a program") {
  Upstream up(show);
  Server s(server("gzip_static on; php_fastcgi 127.0.0.1:" + std::to_string(up.port()) + ";"),
           {{"html/index.php", "front"}, {"html/a.php", "text"}, {"html/a.php.gz", "packed text"}, {"html/none.php.gz", "packed text"},
            {"html/index.php.gz", "packed text"}, {"html/page.gz", "packed page"}, {"html/s.css", "style"}, {"html/s.css.gz", "packed style"}});
  const auto body = [&](const char* path) {
    RawClient c(s.port());
    c.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
    return c.read_response().body;
  };
  CHECK(body("/s.css") == "packed style");
  CHECK(get(s.url("/s.css")).body == "style");
  CHECK_THAT(body("/a.php"), ContainsSubstring("SCRIPT_FILENAME=" + s.folder() + "/html/a.php\n"));
  for (const char* path : {"/", "/none.php", "/page", "/a.php/path"}) {
    CAPTURE(path);
    CHECK_THAT(body(path), ContainsSubstring("SCRIPT_FILENAME=" + s.folder() + "/html/") && !ContainsSubstring("packed"));
  }
}

TEST_CASE("FastCGI directives are refused in nginx's words") {
  const auto refused = [](const std::string& inside) { return check_config(server("location / { " + inside + " }")).err; };
  CHECK_THAT(refused("fastcgi_pass localhost:99999;"), ContainsSubstring("invalid port in upstream \"localhost:99999\""));
  CHECK_THAT(refused("fastcgi_pass 127.0.0.1;"), ContainsSubstring("no port in upstream \"127.0.0.1\""));
  CHECK_THAT(refused("fastcgi_pass 127.0.0.1:1; fastcgi_pass 127.0.0.1:1;"), ContainsSubstring("\"fastcgi_pass\" directive is duplicate"));
  CHECK_THAT(refused("fastcgi_split_path_info ^(.*)$;"), ContainsSubstring("pattern \"^(.*)$\" must have 2 captures"));
  CHECK_THAT(refused("fastcgi_param A b c;"), ContainsSubstring("invalid parameter \"c\""));
}

namespace {

const Files kSite{
    {"html/index.php", "<?php echo 'front ', $_SERVER['REQUEST_URI'], ' ', $_SERVER['PATH_INFO'] ?? '';"},
    {"html/show.php", "<?php header('X-Php: yes'); echo $_SERVER['SCRIPT_NAME'], ' ', $_SERVER['PATH_INFO'] ?? '', ' ', $_SERVER['QUERY_STRING'];"},
    {"html/upload.php", "<?php echo strlen(file_get_contents($_FILES['f']['tmp_name'])), ' ', $_POST['name'];"},
    {"html/fail.php", "<?php http_response_code(503); echo 'failed';"},
    {"html/shop/index.php", "<?php echo 'shop';"},
    {"html/picture.jpg", "<?php echo 'this ran';"},
    {"html/file.txt", "text"}};

}  // namespace

TEST_CASE("PHP-FPM in nginx's own lines: a page, its path, an upload, an error") {
  const auto php = PhpFpm::start();
  if (!php) return;
  Server s(server("location ~ \\.php(/|$) { fastcgi_split_path_info ^(.+?\\.php)(/.*)$; include " + tests_path() + "/../conf/fastcgi_params; "
                  "fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; fastcgi_param PATH_INFO $fastcgi_path_info; "
                  "fastcgi_pass " + php->address() + "; } client_max_body_size 4m;"), kSite);
  const Response r = get(s.url("/show.php/a/b?x=1"));
  CHECK(r.status == 200);
  CHECK(r.body == "/show.php /a/b x=1");
  CHECK(r.header("X-Php") == "yes");
  CHECK(get(s.url("/fail.php")).status == 503);
  CHECK(get(s.url("/none.php")).status == 404);
  const std::string part = "--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nme\r\n--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\n" +
                           std::string(1'000'000, 'u') + "\r\n--b--\r\n";
  const std::string head = "POST /upload.php HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: " + std::to_string(part.size()) + "\r\n\r\n";
  CHECK(raw(s, head + part).body == "1000000 me");
}

TEST_CASE("php_fastcgi serves a whole site, and runs nothing but programs") {
  const auto php = PhpFpm::start();
  if (!php) return;
  Server s(server("php_fastcgi " + php->address() + "; location /inner/ { expires 1h; } location /api { return 200 api; }"), kSite);
  CHECK(get(s.url("/")).body == "front / ");
  CHECK(get(s.url("/show.php/a/b?x=1")).body == "/show.php /a/b x=1");
  CHECK(get(s.url("/nice/page?y")).body == "front /nice/page?y ");
  CHECK(get(s.url("/inner/page")).body == "front /inner/page ");
  CHECK(get(s.url("/file.txt")).body == "text");
  CHECK(get(s.url("/api")).body == "api");
  CHECK(get(s.url("/shop/")).body == "shop");
  const Response redirect = get(s.url("/shop"));
  CHECK(redirect.status == 301);
  CHECK_THAT(redirect.header("Location"), ContainsSubstring("/shop/"));
  // The classic: a picture that PHP is told to run because something.php stands behind it.
  CHECK(get(s.url("/picture.jpg")).body == "<?php echo 'this ran';");
  for (const char* path : {"/picture.jpg/x.php", "/picture.jpg/.php", "/picture.jpg%00.php", "/show.php%2f../picture.jpg/x.php"})
    CHECK_THAT(get(s.url(path)).body, !ContainsSubstring("this ran"));
}
