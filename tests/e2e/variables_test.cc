// The core's variables, seen through return and add_header.
#include "catch.h"
#include "e2e/certificate.h"
#include "e2e/curl.h"
#include "e2e/server.h"

using namespace test;

namespace {

// A server that answers every request with this value.
std::string answering(std::string_view value) {
  return std::string("server { listen 127.0.0.1:%%PORT_0%%; server_name first.test second.test; location / { return 200 \"")
      .append(value)
      .append("\"; } }");
}

// The body a raw HTTP/1.1 request is answered with.
std::string ask(const Server& s, const std::string& line, const std::string& fields = "Host: a\r\n", const std::string& body = {}) {
  RawClient c(s.port());
  c.send(line + "\r\n" + fields + "Connection: close\r\n\r\n" + body);
  return c.read_response().body;
}

}  // namespace

TEST_CASE("the request line and what it is made of") {
  Server s(answering("$request|$request_method|$request_uri|$uri|$document_uri|$is_args$args|$query_string|$server_protocol"));
  CHECK(ask(s, "GET /a//b%41?x=1 HTTP/1.1") == "GET /a//b%41?x=1 HTTP/1.1|GET|/a//b%41?x=1|/a/bA|/a/bA|?x=1|x=1|HTTP/1.1");
}

TEST_CASE("$host: the request line, then Host, then the server's name") {
  Server s(answering("$host|$server_name|$http_host|$request_port$is_request_port"));
  CHECK(ask(s, "GET http://Line.test/ HTTP/1.1", "Host: line.test\r\n") == "line.test|first.test|line.test|");
  CHECK(ask(s, "GET / HTTP/1.1", "Host: FIELD.test:8080\r\n") == "field.test|first.test|FIELD.test:8080|8080:");
  CHECK(ask(s, "GET / HTTP/1.0", "") == "first.test|first.test||");
}

TEST_CASE("arguments by name, whatever its case") {
  Server s(answering("$arg_a|$arg_b|$arg_ab|$arg_none"));
  CHECK(ask(s, "GET /?ab=3&A=1&b=2&a=9&none HTTP/1.1") == "1|2|3|");
}

TEST_CASE("request fields join with a comma, cookies with a semicolon") {
  Server s(answering("$http_x_foo|$http_cookie|$http_none"));
  CHECK(ask(s, "GET / HTTP/1.1", "Host: a\r\nX-Foo: 1\r\nCookie: a=1\r\nx-foo: 2\r\nCookie: b=2\r\n") == "1, 2|a=1; b=2|");
}

TEST_CASE("cookies by name") {
  Server s(answering("$cookie_foo|$cookie_bar|$cookie_none"));
  CHECK(ask(s, "GET / HTTP/1.1", "Host: a\r\nCookie: xfoo=0; foo=1\r\nCookie: bar = 2, 3; foo=9\r\n") == "1|2, 3|");
}

TEST_CASE("$remote_user is Basic's user name") {
  Server s(answering("$remote_user"));
  CHECK(ask(s, "GET / HTTP/1.1", "Host: a\r\nAuthorization: Basic dXNlcjpwYXNz\r\n") == "user");
  CHECK(ask(s, "GET / HTTP/1.1", "Host: a\r\nAuthorization: Basic dXNlcg==\r\n").empty());
  CHECK(ask(s, "GET / HTTP/1.1", "Host: a\r\nAuthorization: Bearer dXNlcjpwYXNz\r\n").empty());
}

TEST_CASE("addresses and the scheme") {
  Server s(answering("$remote_addr|$server_addr|$server_port|$scheme|$https|$proxy_protocol_addr"));
  CHECK(ask(s, "GET / HTTP/1.1") == "127.0.0.1|127.0.0.1|" + std::to_string(s.port()) + "|http||");
}

TEST_CASE("sizes and types of the request") {
  Server s(answering("$content_length|$content_type|$request_length"));
  const std::string line = "POST / HTTP/1.1", fields = "Host: a\r\nContent-Length: 3\r\nContent-Type: text/x\r\n";
  const std::size_t head = line.size() + 2 + fields.size() + std::string("Connection: close\r\n\r\n").size();
  CHECK(ask(s, line, fields, "abc").starts_with("3|text/x|" + std::to_string(head)));
}

TEST_CASE("the connection and its requests") {
  Server s(answering("$connection_requests|$pipe"));
  RawClient c(s.port());
  const std::string request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  c.send(request + request);
  CHECK(c.read_response().body == "1|.");
  CHECK(c.read_response().body == "2|p");
}

TEST_CASE("$request_id is 32 hex digits, the same within a request") {
  Server s(answering("$request_id $request_id"));
  const std::string both = ask(s, "GET / HTTP/1.1");
  REQUIRE(both.size() == 65);
  CHECK(both.substr(0, 32) == both.substr(33));
  CHECK(both.find_first_not_of("0123456789abcdef ") == std::string::npos);
  CHECK(ask(s, "GET / HTTP/1.1") != both);
}

TEST_CASE("times have their forms") {
  Server s(answering("$time_iso8601|$time_local|$msec|$request_time"));
  CHECK_THAT(ask(s, "GET / HTTP/1.1"),
             Catch::Matchers::Matches(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d\|\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\|\d+\.\d{3}\|\d+\.\d{3})"));
}

TEST_CASE("captures of a location's regex") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; location ~ ^/(a+)(b)?(c) { return 200 \"$1|$2|$3|$4\"; } }");
  CHECK(ask(s, "GET /aac HTTP/1.1") == "aa||c|");
}

TEST_CASE("captures of a server's name hold until a location matches") {
  Server s(R"(server { listen 127.0.0.1:%%PORT_0%%; server_name ~^(\w+)\.test$; location / { return 200 $1; } })");
  CHECK(ask(s, "GET / HTTP/1.1", "Host: www.test\r\n") == "www");
}

TEST_CASE("response fields while the head is being made") {
  Server s(R"(server { listen 127.0.0.1:%%PORT_0%%;
    location / {
      add_header Cache-Control a; add_header Cache-Control b; add_header X-CC $sent_http_cache_control;
      add_header X-Rest "$status|$sent_http_content_type|$sent_http_content_length|$sent_http_connection";
      return 200 text;
    } })");
  const Response r = get(s.url());
  CHECK(r.header("X-CC") == "a, b");
  CHECK(r.header("X-Rest") == "200|text/plain|4|keep-alive");
}

TEST_CASE("TCP's own figures") {
  Server s(answering("$tcpinfo_rtt|$tcpinfo_rttvar|$tcpinfo_snd_cwnd|$tcpinfo_rcv_space"));
  CHECK_THAT(ask(s, "GET / HTTP/1.1"), Catch::Matchers::Matches(R"(\d+\|\d+\|\d+\|\d+)"));
}

TEST_CASE("a TLS connection says what was agreed on") {
  const auto made = make_certificate({"localhost", "IP:127.0.0.1"});
  Server s(R"(server { listen 127.0.0.1:%%PORT_0%% ssl; server_name localhost;
    ssl_certificate %%DIR%%/a.crt; ssl_certificate_key %%DIR%%/a.key;
    location / { return 200 "$scheme|$https|$ssl_protocol|$ssl_server_name|$ssl_session_reused|$ssl_client_verify|$ssl_cipher"; } })",
           {{"a.crt", made.certificate}, {"a.key", made.key}});
  CHECK(get(s.tls_url()).body.starts_with("https|on|TLSv1.3|localhost|.|NONE|TLS_"));
}

TEST_CASE("TLS variables are empty on plain connections") {
  Server s(answering("[$ssl_protocol$ssl_cipher$ssl_client_verify]"));
  CHECK(ask(s, "GET / HTTP/1.1") == "[]");
}
