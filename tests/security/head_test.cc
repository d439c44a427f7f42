// Heads that are no heads: line ends, names, values, versions, methods, sizes.
#include "security/attack.h"

using namespace test;
using namespace std::string_literals;

TEST_CASE("folded header lines") {
  refuses({get_with("X: a\r\n b\r\n"), get_with("X: a\r\n\tb\r\n"), get_with("X:\r\n b\r\n"), get_with("X: \r\n\t\r\n"), get_with(" \r\n"), "GET / HTTP/1.1\r\n Host: a\r\n\r\n"});
}

TEST_CASE("a bare CR") {
  refuses({get_with("X: a\rb\r\n"), get_with("X: a\r\r\n"), "GET / HTTP/1.1\rHost: a\r\n\r\n", "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n",
           "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\r\n\r\n", "\r\r\r\n\r\n"});
}

TEST_CASE("line ends that mix CRLF and LF") {
  refuses({"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", "GET / HTTP/1.1\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\n",
           "GET / HTTP/1.1\nHost: a\n\r\n", "GET / HTTP/1.1\r\nHost: a\n\n", "GET / HTTP/1.1\r\nHost: a\n\r\n"});
}

TEST_CASE("a head with LF alone throughout is taken, as nginx does") {
  Server s(with_probe(kTarget));
  CHECK(answered(s, "GET /lf HTTP/1.1\nHost: a\nX: y\n\n").body == "served a /lf");
}

TEST_CASE("a NUL anywhere in a head") {
  const std::string head = "GET /path?a=b HTTP/1.1\r\nHost: a\r\nX-Name: value\r\n\r\n";
  Server s(with_probe(kTarget));
  for (std::size_t at = 0; at + 4 < head.size(); ++at) {
    std::string with = head;
    with.insert(at, 1, '\0');
    check_refused(s, with);
  }
  check_honest(s);
}

TEST_CASE("control bytes in a value") {
  Server s(with_probe(kTarget));
  for (char c = 1; c < 0x20; ++c)
    if (c != '\t') check_refused(s, get_with("X: a"s + c + "b\r\n"));
  check_refused(s, get_with("X: a\x7f\r\n"));
  check_honest(s);
}

TEST_CASE("a space before the colon") {
  refuses({get_with("X : a\r\n"), get_with("X\t: a\r\n"), "GET / HTTP/1.1\r\nHost : a\r\n\r\n"});
}

TEST_CASE("an empty field name, or a line without a colon") {
  refuses({get_with(": a\r\n"), get_with("nonsense\r\n"), get_with(":\r\n"), "GET / HTTP/1.1\r\n: x\r\nHost: a\r\n\r\n"});
}

TEST_CASE("field names with bytes that no token has") {
  refuses({get_with("X Y: a\r\n"), get_with("X(: a\r\n"), get_with("\"X\": a\r\n"), get_with("X,Y: a\r\n"), get_with("X\x80: a\r\n"),
           get_with("X{}: a\r\n"), get_with("X/Y: a\r\n")});
}

TEST_CASE("HTTP/0.9") {
  refuses({"GET /\r\n\r\n", "GET / \r\n\r\n", "GET\r\n\r\n", "/\r\n\r\n"});
}

TEST_CASE("versions of HTTP/1 that do not exist, and words that are no version") {
  refuses({"GET / HTTP/1.2\r\nHost: a\r\n\r\n", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", "GET / HTTP/01.1\r\nHost: a\r\n\r\n",
           "GET / HTTP/1\r\nHost: a\r\n\r\n", "GET / HTTP/1.\r\nHost: a\r\n\r\n", "GET / http/1.1\r\nHost: a\r\n\r\n",
           "GET / HTTP/1.1x\r\nHost: a\r\n\r\n", "GET / HTTP 1.1\r\nHost: a\r\n\r\n", "GET / HTP/1.1\r\nHost: a\r\n\r\n",
           "GET / HTTP/+1.1\r\nHost: a\r\n\r\n", "GET / ICAP/1.0\r\nHost: a\r\n\r\n", "GET / HTTP/0.9\r\nHost: a\r\n\r\n"});
}

TEST_CASE("HTTP/2 and above in a request line") {
  refuses({"GET / HTTP/2.0\r\nHost: a\r\n\r\n", "GET / HTTP/9.9\r\nHost: a\r\n\r\n", "GET / HTTP/3.0\r\nHost: a\r\n\r\n"},
          "505 HTTP Version Not Supported");
}

TEST_CASE("more or other space than one in a request line") {
  refuses({"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
           " GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
           "GET /\tHTTP/1.1\r\nHost: a\r\n\r\n", "GET /\vHTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\t\r\nHost: a\r\n\r\n"});
}

TEST_CASE("methods with bytes that nginx does not take") {
  refuses({"get / HTTP/1.1\r\nHost: a\r\n\r\n", "Get / HTTP/1.1\r\nHost: a\r\n\r\n", "GE:T / HTTP/1.1\r\nHost: a\r\n\r\n",
           "G\x01T / HTTP/1.1\r\nHost: a\r\n\r\n", "\"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "G3T / HTTP/1.1\r\nHost: a\r\n\r\n",
           "{} / HTTP/1.1\r\nHost: a\r\n\r\n", "\x16\x03\x01\x02\r\n\r\n"});
}

TEST_CASE("TRACE would show a script the cookies it must not read, CONNECT asks for a tunnel") {
  Server s(with_probe(kTarget));
  const Response trace = answered(s, "TRACE / HTTP/1.1\r\nHost: a\r\nCookie: secret\r\n\r\n");
  CHECK(trace.status == 405);
  CHECK(trace.body == default_page("405 Not Allowed"));
  check_refused(s, "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n" + kSmuggled, "405 Not Allowed");
  check_refused(s, "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n");
  check_honest(s);
}

TEST_CASE("a method nobody knows reaches its location, files refuse it") {
  Server s(with_probe("server { listen 127.0.0.1:%%PORT_0%%; location / { root %%DIR%%; }"
                      " location /any { return 200 $request_method; } location /next { return 200 \"served $host $uri\"; } }"),
           {{"a.txt", "a"}});
  CHECK(answered(s, "BREW /any HTTP/1.1\r\nHost: a\r\n\r\n").body == "BREW");
  CHECK(answered(s, "BREW /a.txt HTTP/1.1\r\nHost: a\r\n\r\n").status == 405);
}

TEST_CASE("Upgrade: h2c is not heard") {
  Server s(with_probe(kTarget));
  const Response r = answered(s, get_with("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"));
  CHECK(r.status == 200);
  CHECK(r.header("Upgrade").empty());
}

TEST_CASE("an expectation nobody knows is not heard, as in nginx") {
  Server s(with_probe(kTarget));
  for (const char* value : {"200-ok", "100-continues", "", "101"}) {
    const Response r = answered(s, post_with("Content-Length: 5\r\nExpect: "s + value + "\r\n", "hello"));
    CHECK(r.status == 200);
    CHECK(r.body == "hello");
  }
}

TEST_CASE("a request line longer than a large buffer") {
  Server s(with_probe("large_client_header_buffers 2 1k; client_header_buffer_size 256;" + kTarget));
  check_refused(s, get_target("/" + std::string(2000, 'a')), "414 Request-URI Too Large");
  check_refused(s, "GET /" + std::string(5000, 'a'), "414 Request-URI Too Large");
  CHECK(answered(s, get_target("/" + std::string(900, 'a'))).status == 200);
  check_honest(s);
}

TEST_CASE("header lines longer than a large buffer, or together longer than all of them") {
  Server s(with_probe("large_client_header_buffers 2 1k; client_header_buffer_size 256;" + kTarget));
  const std::string title = "400 Request Header Or Cookie Too Large";
  check_refused(s, get_with("X: " + std::string(2000, 'a') + "\r\n"), title);
  std::string many;
  for (int i = 0; i < 5; ++i) many += "X-" + std::to_string(i) + ": " + std::string(800, 'a') + "\r\n";
  check_refused(s, get_with(many), title);
  CHECK(answered(s, get_with("X: " + std::string(900, 'a') + "\r\n")).status == 200);
  check_honest(s);
}

TEST_CASE("more header lines than max_headers, a thousand by default") {
  Server s(with_probe("server { listen 127.0.0.1:%%PORT_1%%; max_headers 3; location / { return 200 few; } }" + kTarget));
  std::string many;
  for (int i = 0; i < 1100; ++i) many += "X: y\r\n";
  check_refused(s, get_with(many), "400 Request Header Or Cookie Too Large");
  RawClient c(s.port(1));
  c.send("GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n");
  CHECK(c.read_response().body == "few");
  CHECK(c.read_response().status == 400);
  CHECK(c.read_all() == "");
  check_honest(s);
}

TEST_CASE("nothing but line ends") {
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += "\r\n";
  refuses({lines, std::string(1000, '\n')});
}

TEST_CASE("a second bad request on a connection is refused as the first would be") {
  Server s(with_probe(kTarget));
  RawClient c(s.port());
  c.send(get_target("/"));
  CHECK(c.read_response().status == 200);
  c.send("GET / HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n");
  CHECK(c.read_response().status == 400);
  CHECK(c.read_all() == "");
  CHECK(s.wait_for_log("client sent invalid request.*client: 127.0.0.1"));
}

TEST_CASE("what was refused is in the log of errors with its request line") {
  Server s(with_probe("server { listen 127.0.0.1:%%PORT_0%%; error_page 400 = @bad; location @bad { return 400 \"bad: $request\"; } }"));
  RawClient c(s.port());
  c.send("GET /bad HTTP/1.1\r\nHost: a b\r\n\r\n");
  CHECK(c.read_response().body == "bad: GET /bad HTTP/1.1");
  CHECK(c.read_all() == "");
}
