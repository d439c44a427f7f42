// HTTP/1.x as clients see it: when a connection goes on, how bodies are framed both ways, what is too large.
#include <poll.h>

#include "catch.h"
#include "e2e/certificate.h"
#include "e2e/curl.h"
#include "e2e/probe.h"

using namespace std::chrono_literals;
using namespace test;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

namespace {

const std::string kPaths = R"(
  location / { return 200 "$request_method $uri"; }
  location /body { probe_read on; }
  location /stream { probe_stream 3 5; })";

std::string server(const std::string& inside = "") {
  return with_probe("server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%/html; " + inside + kPaths + " }");
}
std::string request(const std::string& line, const std::string& fields = "", const std::string& body = "") {
  return line + "\r\nHost: a\r\n" + fields + "\r\n" + body;
}
Response one(const Server& s, const std::string& bytes, bool to_head = false) {
  RawClient c(s.port());
  c.send(bytes);
  return c.read_response(to_head);
}

}  // namespace

TEST_CASE("HTTP/1.1 goes on until somebody says close, in whatever list and case") {
  Server s(server());
  for (const char* field : {"Connection: close\r\n", "connection: Keep-Alive , CLOSE\r\n", "Connection: x\r\nConnection: close\r\n"}) {
    RawClient c(s.port());
    for (int i = 0; i < 3; ++i) {
      c.send(request("GET /a HTTP/1.1"));
      const Response r = c.read_response();
      CHECK(r.body == "GET /a");
      CHECK(r.header("Connection") == "keep-alive");
    }
    c.send(request("GET /b HTTP/1.1", field) + request("GET /never HTTP/1.1"));
    const Response last = c.read_response();
    CHECK(last.body == "GET /b");
    CHECK(last.header("Connection") == "close");
    CHECK(c.read_all() == "");
  }
}

TEST_CASE("HTTP/1.0 ends with its response unless it asks otherwise") {
  Server s(server());
  RawClient once(s.port());
  once.send("GET /a HTTP/1.0\r\n\r\n");
  CHECK_THAT(once.read_all(),
             StartsWith("HTTP/1.1 200 OK\r\n") && ContainsSubstring("Connection: close\r\n") && EndsWith("\r\n\r\nGET /a"));
  RawClient kept(s.port());
  for (int i = 0; i < 3; ++i) {
    kept.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    CHECK(kept.read_response().header("Connection") == "keep-alive");
  }
}

TEST_CASE("HTTP/1.0 knows no chunks: a body of unknown length ends with the connection") {
  Server s(server());
  RawClient c(s.port());
  c.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK_THAT(c.read_all(),
             !ContainsSubstring("Transfer-Encoding") && ContainsSubstring("Connection: close\r\n") &&
             EndsWith("\r\n\r\n" + std::string(15, 'x')));
}

TEST_CASE("chunked_transfer_encoding off does without chunks, too") {
  Server s(server("chunked_transfer_encoding off;"));
  RawClient c(s.port());
  c.send(request("GET /stream HTTP/1.1"));
  CHECK_THAT(c.read_all(),
             !ContainsSubstring("Transfer-Encoding") && ContainsSubstring("Connection: close\r\n") &&
             EndsWith("\r\n\r\n" + std::string(15, 'x')));
}

TEST_CASE("a body of unknown length is chunked, its trailers behind it, and the connection goes on") {
  Server s(server());
  RawClient c(s.port());
  c.send(request("GET /stream HTTP/1.1") + request("GET /next HTTP/1.1"));
  const std::string head = c.read_until("\r\n\r\n");
  CHECK_THAT(head, ContainsSubstring("Transfer-Encoding: chunked\r\n") && !ContainsSubstring("Content-Length"));
  CHECK(c.read_until("\r\n\r\n") == "5\r\nxxxxx\r\n5\r\nxxxxx\r\n5\r\nxxxxx\r\n0\r\nX-Pieces: 3\r\n\r\n");
  CHECK(c.read_response().body == "GET /next");
}

TEST_CASE("many requests in one write are answered in their order, bodies and all") {
  Server s(server());
  RawClient c(s.port());
  std::string all;
  for (int i = 0; i < 50; ++i) {
    const std::string n = std::to_string(i);
    all += request("GET /" + n + " HTTP/1.1") + request("HEAD /" + n + " HTTP/1.1");
    all += request("POST /body HTTP/1.1", "Content-Length: 5\r\n", "plain");
    all += request("POST /body HTTP/1.1", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    all += request("POST /unread HTTP/1.1", "Content-Length: 9\r\n", "not asked") + "\r\n";
  }
  c.send(all);
  for (int i = 0; i < 50; ++i) {
    CHECK(c.read_response().body == "GET /" + std::to_string(i));
    CHECK(c.read_response(true).header("Content-Length") == std::to_string(6 + std::to_string(i).size()));
    CHECK(c.read_response().body == "plain");
    CHECK(c.read_response().body == "abcde");
    CHECK(c.read_response().body == "POST /unread");
  }
}

TEST_CASE("a request may come byte by byte") {
  Server s(server());
  RawClient c(s.port());
  for (const char& byte : request("POST /body HTTP/1.1", "Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\nA: b\r\n\r\n")) c.send({&byte, 1});
  const Response r = c.read_response();
  CHECK(r.body == "abc");
  CHECK(r.header("X-Trailer-A") == "b");
}

TEST_CASE("HEAD is GET without the body, whatever its length is known from") {
  Server s(server("location /file { alias %%DIR%%/html/a; }"));
  s.file("html/a", "hello");
  RawClient c(s.port());
  const auto head = [&](const std::string& path) {
    c.send(request("HEAD " + path + " HTTP/1.1"));
    return c.read_response(true);
  };
  CHECK(head("/file").header("Content-Length") == "5");
  CHECK(head("/x").header("Content-Length") == "7");
  const Response stream = head("/stream");
  CHECK(stream.header("Transfer-Encoding") == "chunked");
  CHECK(stream.count("Content-Length") == 0);
  c.send(request("GET /next HTTP/1.1"));
  CHECK(c.read_response().body == "GET /next");
}

TEST_CASE("HEAD of an error has the length of its page") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; }");
  RawClient c(s.port());
  c.send(request("HEAD /none HTTP/1.1") + request("GET /none HTTP/1.1"));
  const Response head = c.read_response(true), whole = c.read_response();
  CHECK(head.status == 404);
  CHECK(head.header("Content-Length") == std::to_string(whole.body.size()));
}

TEST_CASE("Expect: 100-continue is answered when the body is wanted") {
  Server s(server());
  RawClient c(s.port());
  c.send(request("POST /body HTTP/1.1", "Expect: 100-Continue\r\nContent-Length: 5\r\n"));
  CHECK(c.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  c.send("hello" + request("GET /next HTTP/1.1"));
  CHECK(c.read_response().body == "hello");
  CHECK(c.read_response().body == "GET /next");
}

TEST_CASE("Expect: 100-continue is not answered when the body is there, refused or not wanted") {
  Server s(server("client_max_body_size 10;"));
  CHECK(one(s, request("POST /body HTTP/1.1", "Expect: 100-continue\r\nContent-Length: 5\r\n", "hello")).body == "hello");
  RawClient refused(s.port());
  refused.send(request("POST /body HTTP/1.1", "Expect: 100-continue\r\nContent-Length: 11\r\n"));
  CHECK(refused.read_response().status == 413);
  CHECK(refused.read_all() == "");
  RawClient unread(s.port());
  unread.send(request("POST / HTTP/1.1", "Expect: 100-continue\r\nContent-Length: 5\r\n"));
  const Response r = unread.read_response();
  CHECK(r.body == "POST /");
  CHECK(r.header("Connection") == "close");
  CHECK(unread.read_all() == "");
}

TEST_CASE("Expect: 100-continue of an HTTP/1.0 client is not heard") {
  Server s(server());
  RawClient c(s.port());
  c.send("POST /body HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  pollfd quiet{c.fd(), POLLIN, 0};
  CHECK(::poll(&quiet, 1, 100) == 0);
  c.send("hello");
  CHECK(c.read_response().body == "hello");
}

TEST_CASE("client_max_body_size: a length that is too large is refused before a byte of it, and the connection ends") {
  Server s(server("client_max_body_size 10; location /more { client_max_body_size 20; probe_read on; } location /any { client_max_body_size 0; probe_read on; }"));
  const auto post = [](const std::string& path, int size) {
    return request("POST " + path + " HTTP/1.1", "Content-Length: " + std::to_string(size) + "\r\n", std::string(std::size_t(size), 'x'));
  };
  CHECK(one(s, post("/body", 10)).status == 200);
  CHECK(one(s, post("/more", 20)).status == 200);
  CHECK(one(s, post("/any", 2'000'000)).body.size() == 2'000'000);
  for (const char* path : {"/body", "/more", "/"}) {
    RawClient c(s.port());
    c.send(post(path, 21));
    const Response r = c.read_response();
    CHECK(r.status == 413);
    CHECK(r.body == default_page("413 Request Entity Too Large"));
    CHECK(r.header("Connection") == "close");
    CHECK(c.read_all() == "");
  }
  CHECK(s.wait_for_log("client intended to send too large body: 21 bytes"));
}

TEST_CASE("client_max_body_size: chunks are counted as they come, a megabyte is the default") {
  Server s(server("location /small { client_max_body_size 10; probe_read on; }"));
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  CHECK(one(s, request("POST /small HTTP/1.1", chunked, "5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n")).status == 200);
  RawClient c(s.port());
  c.send(request("POST /small HTTP/1.1", chunked, "5\r\nhello\r\n6\r\nworld!\r\n0\r\n\r\n") + request("GET /never HTTP/1.1"));
  CHECK(c.read_response().status == 413);
  CHECK(c.read_all() == "");
  const auto post = [](std::size_t size) { return request("POST /body HTTP/1.1", "Content-Length: " + std::to_string(size) + "\r\n"); };
  CHECK(one(s, post((1 << 20) + 1)).status == 413);
  CHECK(one(s, post(1 << 20) + std::string(1 << 20, 'x')).status == 200);
}

TEST_CASE("lingering close: a client in the middle of its upload reads the answer that ends it") {
  Server s(server("client_max_body_size 10;"));
  RawClient c(s.port());
  const std::string part(256 * 1024, 'x');
  c.send(request("POST /body HTTP/1.1", "Content-Length: 100000000\r\n") + part);
  for (int i = 0; i < 20; ++i) c.send(part);
  CHECK(c.read_response().status == 413);
  c.send(part);
  CHECK(c.read_all() == "");
  CHECK_FALSE(c.was_reset());
}

TEST_CASE("lingering_close always reads away, off never does") {
  Server s(server("location /off { lingering_close off; return 413; } location /always { lingering_close always; return 413; }"));
  const auto resets = [&](const std::string& path) {
    RawClient c(s.port());
    c.send(request("POST " + path + " HTTP/1.1", "Content-Length: 1000\r\n"));
    REQUIRE(c.read_response().status == 413);
    REQUIRE(c.read_all() == "");
    c.send("x");  // a closed socket answers this with a reset
    pollfd broken{c.fd(), 0, 0};
    return ::poll(&broken, 1, path == "/off" ? 10'000 : 200) == 1;
  };
  CHECK(resets("/off"));
  CHECK_FALSE(resets("/always"));
}

TEST_CASE("keepalive_requests and keepalive_timeout 0 end a connection in time") {
  Server s(server("keepalive_requests 3; location /none { keepalive_timeout 0; return 200 ok; }"));
  RawClient c(s.port());
  for (const char* connection : {"keep-alive", "keep-alive", "close"}) {
    c.send(request("GET / HTTP/1.1"));
    CHECK(c.read_response().header("Connection") == connection);
  }
  CHECK(c.read_all() == "");
  CHECK(one(s, request("GET /none HTTP/1.1")).header("Connection") == "close");
}

TEST_CASE("keepalive_time ends a connection that is old, with a response and not without one") {
  Server s(server("keepalive_time 300ms;"));
  RawClient c(s.port());
  c.send(request("GET / HTTP/1.1"));
  c.read_response();
  pollfd quiet{c.fd(), POLLIN, 0};
  CHECK(::poll(&quiet, 1, 350) == 0);
  c.send(request("GET / HTTP/1.1"));
  CHECK(c.read_response().header("Connection") == "close");
  CHECK(c.read_all() == "");
}

TEST_CASE("keepalive_timeout's second value is told to the client") {
  Server s(server("keepalive_timeout 75s 20s; location /close { keepalive_timeout 0 20s; return 200 ok; }"));
  CHECK(one(s, request("GET / HTTP/1.1")).header("Keep-Alive") == "timeout=20");
  CHECK(one(s, request("GET / HTTP/1.1", "Connection: close\r\n")).count("Keep-Alive") == 0);
  CHECK(one(s, request("GET /close HTTP/1.1")).count("Keep-Alive") == 0);
}

TEST_CASE("keepalive_disable: old browsers get no keep-alive where it breaks them") {
  Server s(server("location /safari { keepalive_disable safari; return 200 ok; } location /none { keepalive_disable none; return 200 ok; }"));
  const std::string msie6 = "User-Agent: Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)\r\n";
  const std::string safari = "User-Agent: Mozilla/5.0 (Macintosh; Intel Mac OS X 10_6) AppleWebKit/533 (KHTML, like Gecko) Safari/533\r\n";
  const auto connection = [&](const std::string& line, const std::string& agent) {
    return one(s, request(line, agent + "Content-Length: 0\r\n")).header("Connection");
  };
  CHECK(connection("POST / HTTP/1.1", msie6) == "close");
  CHECK(connection("GET / HTTP/1.1", msie6) == "keep-alive");
  CHECK(connection("POST /none HTTP/1.1", msie6) == "keep-alive");
  CHECK(connection("GET / HTTP/1.1", safari) == "keep-alive");
  CHECK(connection("GET /safari HTTP/1.1", safari) == "close");
}

TEST_CASE("fields with unusual names are dropped, or kept by ignore_invalid_headers off") {
  const std::string seen = "return 200 \"[$http_x_y][$http_other]\";";
  Server s("server { listen 127.0.0.1:%%PORT_0%%; " + seen + " }"
           "server { listen 127.0.0.1:%%PORT_1%%; underscores_in_headers on; " + seen + " }"
           "server { listen 127.0.0.1:%%PORT_2%%; ignore_invalid_headers off; " + seen + " }");
  const auto seen_by = [&](int port) {
    RawClient c(s.port(port));
    c.send(request("GET / HTTP/1.1", "X_Y: a\r\nX!Z: b\r\nOther: c\r\n"));
    return c.read_response().body;
  };
  CHECK(seen_by(0) == "[][c]");
  CHECK(seen_by(1) == "[a][c]");
  CHECK(seen_by(2) == "[a][c]");
}

TEST_CASE("merge_slashes") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; location / { return 200 $uri; } location /a/b { return 200 merged; } }"
           "server { listen 127.0.0.1:%%PORT_1%%; merge_slashes off; location / { return 200 $uri; } location /a/b { return 200 merged; } }");
  CHECK(one(s, request("GET //a///b HTTP/1.1")).body == "merged");
  RawClient off(s.port(1));
  off.send(request("GET //a///b HTTP/1.1") + request("GET /a/../x//y/./z HTTP/1.1"));
  CHECK(off.read_response().body == "//a///b");
  CHECK(off.read_response().body == "/x//y/z");
}

TEST_CASE("plain HTTP on a TLS port is answered in plain words, or where error_page 497 leads") {
  const auto made = make_certificate({"localhost"});
  const std::string tls = " ssl; ssl_certificate a.crt; ssl_certificate_key a.key; ";
  Server s("server { listen 127.0.0.1:%%PORT_0%%" + tls + "return 200 secret; }"
           "server { listen 127.0.0.1:%%PORT_1%%" + tls + "error_page 497 =301 https://$host$request_uri; return 200 secret; }",
           {{"a.crt", made.certificate}, {"a.key", made.key}});
  RawClient c(s.port());
  c.send(request("GET / HTTP/1.1") + request("GET /never HTTP/1.1"));
  const Response r = c.read_response();
  CHECK(r.status == 400);
  CHECK(r.header("Connection") == "close");
  CHECK_THAT(r.body, ContainsSubstring("<title>400 The plain HTTP request was sent to HTTPS port</title>"));
  CHECK(c.read_all() == "");
  RawClient redirected(s.port(1));
  redirected.send(request("GET /x?y HTTP/1.1"));
  const Response to = redirected.read_response();
  CHECK(to.status == 301);
  CHECK(to.header("Location") == "https://a/x?y");
}

TEST_CASE("a chunked body over TLS, piece by piece") {
  const auto made = make_certificate({"localhost"});
  Server s(with_probe("server { listen 127.0.0.1:%%PORT_0%% ssl; ssl_certificate a.crt; ssl_certificate_key a.key; probe_stream 3 5 1ms; }"),
           {{"a.crt", made.certificate}, {"a.key", made.key}});
  CHECK(get(s.tls_url()).body == std::string(15, 'x'));
}

TEST_CASE("a field that may come once is refused twice") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; location / { return 204; } }");
  for (const char* name : {"Authorization", "Proxy-Authorization", "If-Modified-Since", "If-Unmodified-Since", "If-Match", "If-None-Match",
                           "If-Range", "Content-Range", "Expect"}) {
    INFO(name);
    RawClient c(s.port());
    c.send(std::string("GET / HTTP/1.1\r\nHost: a\r\n") + name + ": x\r\n" + name + ": x\r\n\r\n");
    CHECK(c.read_response().status == 400);
  }
}

TEST_CASE("client_header_buffer_size 0 is a first buffer of no size, not the end of heads that fill one") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; client_header_buffer_size 0; location / { return 200 ok; } }");
  for (std::size_t n = 100; n < 6000; n += 250) {
    RawClient c(s.port());
    c.send("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(n, 'x') + "\r\n\r\n");
    CHECK(c.read_response().status == 200);
  }
}

TEST_CASE("a head is read whole whatever its length, and the next one behind it, in clear and over TLS") {
  const auto made = make_certificate({"localhost"});
  Server s("server { listen 127.0.0.1:%%PORT_0%%; listen 127.0.0.1:%%PORT_1%% ssl; ssl_certificate a.crt; ssl_certificate_key a.key; "
           "location / { return 200 $http_x; } }",
           {{"a.crt", made.certificate}, {"a.key", made.key}});
  const std::string fixed = request("GET / HTTP/1.1", "X: \r\n");
  for (const std::size_t size : {100u, 1023u, 1024u, 1025u, 4095u, 4096u, 4097u, 8000u}) {
    INFO(size);
    const std::string value(size - fixed.size(), 'x');
    const std::string head = request("GET / HTTP/1.1", "X: " + value + "\r\n");
    REQUIRE(head.size() == size);
    RawClient c(s.port());
    for (int i = 0; i < 3; ++i) {
      c.send(head);
      CHECK(c.read_response().body == value);
    }
    c.send(head + head);
    for (int i = 0; i < 2; ++i) CHECK(c.read_response().body == value);
    CHECK(get(s.tls_url("/", 1), {"X: " + value}).body == value);
  }
}

TEST_CASE("heads that come in pieces on many connections do not mix") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; location / { return 200 $http_x; } }");
  std::vector<std::unique_ptr<RawClient>> clients;
  const auto value_of = [](std::size_t i) { return std::string(100 * i + 1, static_cast<char>('a' + i)); };
  for (std::size_t i = 0; i < 20; ++i) clients.push_back(std::make_unique<RawClient>(s.port()));
  for (std::size_t part = 0; part < 4; ++part)
    for (std::size_t i = 0; i < 20; ++i) {
      const std::string head = request("GET / HTTP/1.1", "X: " + value_of(i) + "\r\n");
      const std::size_t quarter = head.size() / 4 + 1;
      clients[i]->send(std::string_view(head).substr(quarter * part, quarter));
    }
  for (std::size_t i = 0; i < 20; ++i) CHECK(clients[i]->read_response().body == value_of(i));
}
