// gzip and its directives, gzip_static and gunzip.
#include "catch.h"

#include <sys/stat.h>

#include "e2e/codings.h"
#include "e2e/curl.h"
#include "e2e/old_file.h"
#include "e2e/probe.h"
#include "e2e/timing.h"
#include "e2e/upstream.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

const std::string kText = [] {
  std::string text;
  for (int i = 0; i < 300; ++i) text += "line " + std::to_string(i * 7919 % 1000) + " of a page\n";
  return text;
}();
// Neither tiny nor regular: what a coder makes of it fills several pieces.
const std::string kLarge = [] {
  std::string text;
  unsigned x = 1;
  while (text.size() < 3'000'000) text += std::to_string(x = x * 1103515245 + 12345) + "\n";
  return text;
}();

std::string server(std::string_view inside) {
  std::string text("server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%; default_type text/html; ");
  return text.append(inside).append(" }");
}

const std::vector<std::string> kAccepts{"Accept-Encoding: gzip"};

bool is_gzipped(const Server& s, const std::string& accept_encoding, const std::string& more = "X-Nothing: 1") {
  return get(s.url("/a"), {"Accept-Encoding: " + accept_encoding, more}).header("Content-Encoding") == "gzip";
}

std::string refusal(std::string_view inside) {
  const Run run = check_config(server(inside));
  CHECK(run.exit_code == 1);
  return run.err;
}

// The chunks of a response, each as it came.
std::vector<std::string> chunks_of(RawClient& c) {
  std::vector<std::string> chunks;
  c.read_until("\r\n\r\n");
  for (;;) {
    const std::size_t size = std::stoul(c.read_until("\r\n"), nullptr, 16);
    if (size > 0) chunks.push_back(c.read(size));
    c.read(2);
    if (size == 0) return chunks;
  }
}

}  // namespace

TEST_CASE("gzip compresses for clients that accept it") {
  Server s(server("gzip on;"), {{"a", kText}});
  const Response r = get(s.url("/a"), kAccepts);
  CHECK(r.status == 200);
  CHECK(r.header("Content-Encoding") == "gzip");
  CHECK(ungzip(r.body) == kText);
  CHECK(r.body.size() < kText.size() / 2);
  CHECK(r.header("Content-Length") == std::to_string(r.body.size()));
  CHECK(r.header("ETag").starts_with("W/\""));
  CHECK(r.count("Accept-Ranges") == 0);
  CHECK(r.count("Vary") == 0);
  const Response plain = get(s.url("/a"));
  CHECK(plain.count("Content-Encoding") == 0);
  CHECK(plain.body == kText);
  CHECK(plain.header("ETag").starts_with("\""));
  CHECK(plain.header("Accept-Ranges") == "bytes");
}

TEST_CASE("gzip of many responses, one after the other and of one after an unfinished one") {
  Server s(server("gzip on;"), {{"a", kText}, {"b", kLarge}});
  Curl client;
  Request request;
  request.headers = kAccepts;
  for (int i = 0; i < 3; ++i) {
    request.url = s.url("/a");
    CHECK(ungzip(client.fetch(request).body) == kText);
    request.url = s.url("/b");
    CHECK(ungzip(client.fetch(request).body) == kLarge);
    RawClient unfinished(s.port(), "127.0.0.1", 4096);
    unfinished.send("GET /b HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
    unfinished.read_until("\r\n\r\n");
    CHECK(ungzip(client.fetch(request).body) == kLarge);
  }
}

TEST_CASE("gzip over HTTP/2, to HTTP/1.0 and at every level") {
  for (const char* level : {"1", "6", "9"}) {
    Server s(std::string("http2 on; gzip_http_version 1.0; gzip_comp_level ") + level + ";" + server("gzip on;"),
             {{"a", kText}, {"b", kLarge}});
    Request request;
    request.headers = kAccepts;
    request.http2 = true;
    for (const auto& [path, text] : {std::pair("/a", kText), std::pair("/b", kLarge)}) {
      request.url = s.url(path);
      CHECK(ungzip(fetch(request).body) == text);
    }
    RawClient old(s.port());
    old.send("GET /b HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n");
    const std::string response = old.read_all();
    CHECK_THAT(response, !ContainsSubstring("Transfer-Encoding"));
    CHECK(ungzip(response.substr(response.find("\r\n\r\n") + 4)) == kLarge);
  }
}

TEST_CASE("gzip believes Accept-Encoding") {
  Server s(server("gzip on;"), {{"a", kText}});
  for (const char* yes : {"gzip", "GZIP", "deflate, gzip", "gzip;q=0.001", "gzip; q=1", "gzip ;q=1.000",
                          "x-gzip, gzip", "br,gzip;q=0.5,*"})
    CHECK(is_gzipped(s, yes));
  for (const char* no : {"identity", "gzip;q=0", "gzip;q=0.000", "gzip;q=2", "gzip;q=x", "gzip;q=0.0001",
                         "gzip;q", "x-gzip", "gzipx", "*", "gzip;x=1"})
    CHECK_FALSE(is_gzipped(s, no));
}

TEST_CASE("gzip leaves alone what is short, of another type, of another status, or in a coding already") {
  Server s(server("gzip on; gzip_min_length 100; gzip_types text/css; location /short { return 200 short; }"
                  "location /long { return 200 " + std::string(100, 'x') + "; } location /css { default_type text/css; }"
                  "location /plain { default_type text/plain; } location /none { return 404 " + std::string(100, 'x') + "; }"
                  "location /gone { return 410 " + std::string(100, 'x') + "; }"
                  "location /coded { add_header Content-Encoding br; return 200 " + std::string(100, 'x') + "; }"),
           {{"css", kText}, {"plain", kText}});
  const auto coding = [&](const char* path) { return get(s.url(path), kAccepts).header("Content-Encoding"); };
  CHECK(coding("/short") == "");
  CHECK(coding("/long") == "gzip");
  CHECK(coding("/css") == "gzip");
  CHECK(coding("/plain") == "");
  CHECK(coding("/none") == "gzip");
  CHECK(coding("/gone") == "");
  CHECK(coding("/coded") == "br");
}

TEST_CASE("gzip and HEAD, ranges and conditions") {
  Server s(server("gzip on;"), {{"a", kText}});
  RawClient c(s.port());
  c.send("HEAD /a HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
  const Response head = c.read_response(true);
  CHECK(head.header("Content-Encoding") == "gzip");
  CHECK(head.header("ETag").starts_with("W/"));
  CHECK(head.count("Content-Length") == 0);
  const Response whole = get(s.url("/a"), {kAccepts[0], "Range: bytes=0-9"});
  CHECK(whole.status == 200);
  CHECK(ungzip(whole.body) == kText);
  const Response same = get(s.url("/a"), {kAccepts[0], "If-None-Match: " + whole.header("ETag")});
  CHECK(same.status == 304);
  CHECK(same.count("Content-Encoding") == 0);
}

TEST_CASE("gzip_types *, and a type that is there twice") {
  Server s(server("gzip on; gzip_types *; location / { default_type x/y; }"), {{"a", kText}});
  CHECK(is_gzipped(s, "gzip"));
  const Run run = check_config(server("gzip_types text/css text/html; gzip_types text/css;"));
  CHECK(run.exit_code == 0);
  CHECK_THAT(run.err, ContainsSubstring("[warn] duplicate MIME type \"text/html\" in ") &&
                          ContainsSubstring("[warn] duplicate MIME type \"text/css\" in "));
}

TEST_CASE("gzip_vary says so wherever a coding is possible") {
  Server s(server("gzip on; gzip_vary on; location /css { default_type text/css; }"
                  "location /own { add_header Vary 'Cookie, accept-encoding'; return 200 " + std::string(100, 'x') + "; }"),
           {{"a", kText}, {"css", kText}});
  CHECK(get(s.url("/a")).header("Vary") == "Accept-Encoding");
  CHECK(get(s.url("/a"), kAccepts).header("Vary") == "Accept-Encoding");
  CHECK(get(s.url("/css"), kAccepts).count("Vary") == 0);
  CHECK(get(s.url("/own"), kAccepts).count("Vary") == 1);
}

TEST_CASE("gzip_proxied decides about requests that came through a proxy") {
  const auto proxied = [](const std::string& rules, const std::string& fields, const std::string& request = "X-Nothing: 1") {
    Server s(server("gzip on; gzip_proxied " + rules + "; " + fields), {{"a", kText}});
    CHECK(is_gzipped(s, "gzip"));
    return get(s.url("/a"), {"Accept-Encoding: gzip", "Via: 1.1 proxy", request}).header("Content-Encoding") == "gzip";
  };
  CHECK_FALSE(proxied("off", ""));
  CHECK(proxied("any", ""));
  CHECK(proxied("expired", "expires epoch;"));
  CHECK_FALSE(proxied("expired", "expires max;"));
  CHECK_FALSE(proxied("no-cache", "expires max;"));
  CHECK(proxied("no-cache", "add_header Cache-Control 'x, no-cache=\"y\"';"));
  CHECK(proxied("no-store", "add_header Cache-Control no-store;"));
  CHECK(proxied("private no-store", "add_header Cache-Control Private;"));
  CHECK_FALSE(proxied("private", "add_header Cache-Control public;"));
  CHECK_FALSE(proxied("no_last_modified", ""));
  CHECK(proxied("no_last_modified", "add_header Last-Modified '';", ""));
  CHECK_FALSE(proxied("no_etag", ""));
  CHECK(proxied("no_etag", "etag off;"));
  CHECK(proxied("auth", "", "Authorization: Basic YTpi"));
}

TEST_CASE("gzip_disable knows browsers") {
  Server s(server("gzip on; gzip_disable msie6 old.*browser;"), {{"a", kText}});
  CHECK(is_gzipped(s, "gzip", "User-Agent: Mozilla/5.0"));
  CHECK_FALSE(is_gzipped(s, "gzip", "User-Agent: Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)"));
  CHECK_FALSE(is_gzipped(s, "gzip", "User-Agent: an OLD good browser"));
}

TEST_CASE("gzip does not hold back what a stream has said before it pauses") {
  Server s(with_probe(server("gzip on; add_header Content-Type text/html; probe_stream 3 100 1ms;")));
  RawClient c(s.port());
  c.send("GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
  const std::vector<std::string> chunks = chunks_of(c);
  REQUIRE(chunks.size() == 3);
  CHECK(ungzip(chunks[0]) == std::string(100, 'x'));
  CHECK(ungzip(chunks[0] + chunks[1]) == std::string(200, 'x'));
  CHECK(ungzip(chunks[0] + chunks[1] + chunks[2]) == std::string(300, 'x'));
}

TEST_CASE("gzip gathers what comes without a pause, and passes trailers on") {
  Server s(with_probe(server("gzip on; add_header Content-Type text/html; probe_stream 1000 100;")));
  RawClient c(s.port());
  c.send("GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
  const std::string bytes = c.read_until("\r\n0\r\nX-Pieces: 1000\r\n\r\n");
  CHECK(bytes.size() < 1500);
}

TEST_CASE("gzip streams of several clients at a time") {
  Server s(with_probe(server("gzip on; add_header Content-Type text/html; probe_stream 20 1000 1ms;")));
  std::vector<RawClient> clients;
  for (int i = 0; i < 5; ++i) {
    clients.emplace_back(s.port());
    clients.back().send("GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
  }
  for (RawClient& c : clients) CHECK(ungzip(c.read_response().body) == std::string(20'000, 'x'));
}

TEST_CASE("a client that leaves while a compressed stream pauses is noticed") {
  Server s(with_probe("log_format status $status; access_log %%DIR%%/access.log status;" +
                      server("gzip on; add_header Content-Type text/html; probe_stream 2 100 30s;")));
  RawClient c(s.port());
  c.send("GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
  c.reset();
  CHECK(s.wait_for_log("200", "access.log"));
}

TEST_CASE("what error_page has for a handler that took too long is compressed, too") {
  Server s(with_probe(server("error_page 503 =200 /page; gzip on; location /slow { handler_timeout 100ms; probe_wait 30s; }"
                             "location /page { add_header Content-Type text/html; probe_stream 3 100 1ms; }")));
  CHECK(ungzip(get(s.url("/slow"), kAccepts).body) == std::string(300, 'x'));
}

TEST_CASE("a compressed stream that fails in the middle is cut visibly") {
  Server s(with_probe(server("gzip on; add_header Content-Type text/html; probe_fail_body on;")));
  RawClient c(s.port());
  c.send("GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
  CHECK_THAT(c.read_all(), !ContainsSubstring("\r\n0\r\n"));
  CHECK_THAT(s.error_log(), ContainsSubstring("a module threw an exception while producing the response: probe_fail_body"));
}

TEST_CASE("what was made of an old file is kept, until the file changes, and only for what it was made for") {
  Server s("log_format ratio '$uri $gzip_ratio'; access_log %%DIR%%/access.log ratio;" +
               server("gzip on; location /best/ { alias %%DIR%%/; gzip_comp_level 9; }"
                      "location /other/ { alias %%DIR%%/; sub_filter line LINE; sub_filter_once off; }"
                      "location /br/ { alias %%DIR%%/; brotli on; }"),
           {{"small", kText}, {"large", kText + kText + kText + kText + kText + kText + kText + kText + kText + kText}});
  for (const std::string file : {"small", "large"}) {
    const std::string text = s.read(file), path = s.folder() + "/" + file;
    wait_until_old(path);
    const std::string first = get(s.url("/" + file), kAccepts).body;
    CHECK(ungzip(first) == text);
    CHECK(get(s.url("/" + file), kAccepts).body == first);
    const Response again = get(s.url("/" + file), kAccepts);
    CHECK(again.header("Content-Length") == std::to_string(first.size()));
    CHECK(again.header("ETag").starts_with("W/"));
    CHECK(get(s.url("/best/" + file), kAccepts).body != first);
    CHECK(ungzip(get(s.url("/other/" + file), kAccepts).body).starts_with("LINE"));
    CHECK(get(s.url("/br/" + file), {"Accept-Encoding: br"}).header("Content-Encoding") == "br");
    CHECK(get(s.url("/" + file)).body == text);
    s.file(file, text + "more");
    CHECK(ungzip(get(s.url("/" + file), kAccepts).body) == text + "more");
    CHECK(s.wait_for_log("^/" + file + " [1-9][0-9.]+$", "access.log"));
  }
}

TEST_CASE("$gzip_ratio is logged") {
  Server s("log_format ratio '$uri ratio=$gzip_ratio'; access_log %%DIR%%/access.log ratio;" +
               server("gzip on;"),
           {{"a", std::string(10'000, 'x')}});
  get(s.url("/a"), kAccepts);
  get(s.url("/b"));
  CHECK(s.wait_for_log("^/a ratio=[1-9][0-9]+\\.[0-9][0-9]$", "access.log"));
  CHECK(s.wait_for_log("^/b ratio=-$", "access.log"));
}

TEST_CASE("gzip refuses what makes no sense") {
  CHECK_THAT(refusal("gzip_comp_level 10;"), ContainsSubstring("[emerg] value must be between 1 and 9 in "));
  CHECK_THAT(refusal("gzip_comp_level 0;"), ContainsSubstring("value must be between 1 and 9 in "));
  CHECK_THAT(refusal("gzip_window 3k;"), ContainsSubstring("\"gzip_window\" directive must be 512, 1k, "));
  CHECK_THAT(refusal("gzip_http_version 1.2;"), ContainsSubstring("invalid value \"1.2\""));
  CHECK_THAT(refusal("gzip_proxied some;"), ContainsSubstring("invalid value \"some\" in "));
  CHECK_THAT(refusal("gzip_buffers 0 4k;"), ContainsSubstring("\"gzip_buffers\" directive invalid value in "));
  CHECK(check_config(server("gzip_buffers 16 8k; gzip_window 8k; gzip_hash 16k; gzip on;")).exit_code == 0);
}

TEST_CASE("gzip_static sends the file that was compressed before") {
  Server s(server("gzip_static on;"), {{"a", "plain"}, {"a.gz", gzipped("packed")}, {"b", "plain"}});
  const Response r = get(s.url("/a"), kAccepts);
  CHECK(r.header("Content-Encoding") == "gzip");
  CHECK(r.header("Content-Type") == "text/html");
  CHECK(ungzip(r.body) == "packed");
  CHECK(r.header("ETag").starts_with("\""));
  CHECK(get(s.url("/a")).body == "plain");
  CHECK(get(s.url("/b"), kAccepts).body == "plain");
  const Response part = get(s.url("/a"), {kAccepts[0], "Range: bytes=0-1"});
  CHECK(part.status == 206);
  CHECK(part.body == "\x1f\x8b");
}

TEST_CASE("gzip_static always serves everybody, gunzip those who cannot read it") {
  Server s(server("location /always/ { alias %%DIR%%/files/; gzip_static always; }"
                  "location /gunzip/ { alias %%DIR%%/files/; gzip_static always; gunzip on; gzip_vary on; }"),
           {{"files/a.gz", gzipped(kLarge)},
            {"files/bad.gz", "no gzip at all"},
            {"files/two.gz", gzipped("one") + gzipped("two")},
            {"files/half.gz", gzipped(kText).substr(0, 500)}});
  CHECK(ungzip(get(s.url("/always/a")).body) == kLarge);
  const Response plain = get(s.url("/gunzip/a"));
  CHECK(plain.body == kLarge);
  CHECK(plain.count("Content-Encoding") == 0);
  CHECK(plain.header("ETag").starts_with("W/"));
  CHECK(plain.header("Vary") == "Accept-Encoding");
  CHECK(get(s.url("/gunzip/a"), kAccepts).header("Content-Encoding") == "gzip");
  CHECK(get(s.url("/gunzip/two")).body == "onetwo");
  CHECK_THROWS(get(s.url("/gunzip/bad")));
  CHECK_THROWS(get(s.url("/gunzip/half")));
  CHECK_THAT(s.error_log(), ContainsSubstring("inflate() failed: ") && ContainsSubstring("inflate() ended too soon"));
}

TEST_CASE("gzip_static with gzip_vary says Vary where there is such a file, and gzip does not compress it again") {
  Server s(server("gzip on; gzip_static on; gzip_vary on; location / { default_type x/y; }"),
           {{"a", "plain"}, {"a.gz", gzipped("packed")}, {"b", "plain"}});
  CHECK(get(s.url("/a")).header("Vary") == "Accept-Encoding");
  CHECK(get(s.url("/a"), kAccepts).header("Vary") == "Accept-Encoding");
  CHECK(get(s.url("/b")).count("Vary") == 0);
}

TEST_CASE("a handler of the location goes before files that were compressed before") {
  Upstream up([](RawClient& c) {
    c.read_until("\r\n\r\n");
    c.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nasked");
  });
  Server s(server("gzip_static always; brotli_static always; location /p/ { proxy_pass " + up.url() + "; } location /e/ { echo -n echo; } "),
           {{"p/a", "plain"}, {"p/a.gz", gzipped("packed")}, {"e/a.br", "packed"}});
  CHECK(get(s.url("/p/a")).body == "asked");
  CHECK(get(s.url("/e/a")).body == "echo");
}
