// The core's variables, seen through return and add_header.
#include <arpa/inet.h>
#include <sys/socket.h>

#include <atomic>
#include <filesystem>

#include "catch.h"
#include "e2e/certificate.h"
#include "e2e/curl.h"
#include "e2e/server.h"
#include "e2e/timing.h"
#include "e2e/upstream.h"

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

namespace {

int own_port(const RawClient& c) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  REQUIRE(::getsockname(c.fd(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  return ntohs(address.sin_port);
}

}  // namespace

TEST_CASE("the process, the connection's age, and where the root really is") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%/link; location / { "
           "return 200 \"$nginx_version|$connection_time|$realpath_root|$document_root|$request_filename\"; } }", {{"html/x", "x"}});
  std::filesystem::create_directory_symlink(s.folder() + "/html", s.folder() + "/link");
  const std::string real = std::filesystem::canonical(s.folder() + "/html");
  CHECK_THAT(ask(s, "GET /a/b HTTP/1.1"), Catch::Matchers::Matches(R"(1\.\d+\.\d+\|0\.\d{3}\|)" + real + "\\|" + s.folder() + "/link\\|" + s.folder() + "/link/a/b"));
}

TEST_CASE("what the PROXY protocol tells, and the peer behind it") {
  Server s("set_real_ip_from 127.0.0.1; real_ip_header proxy_protocol; server { listen 127.0.0.1:%%PORT_0%% proxy_protocol; location / { return 200 "
           "\"$remote_addr:$remote_port|$realip_remote_addr:$realip_remote_port|$proxy_protocol_addr:$proxy_protocol_port|"
           "$proxy_protocol_server_addr:$proxy_protocol_server_port|$proxy_protocol_tlv_alpn|$proxy_protocol_tlv_authority|"
           "$proxy_protocol_tlv_ssl_cn|$proxy_protocol_tlv_ssl_verify|$proxy_protocol_tlv_0xEA|$proxy_protocol_tlv_unique_id\"; } "
           "location /odd { return 200 \"[$proxy_protocol_tlv_nobody]\"; } }");
  const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  RawClient text(s.port());
  text.send("PROXY TCP4 192.0.2.1 192.0.2.2 123 5678\r\n" + get);
  CHECK(text.read_response().body == "192.0.2.1:123|127.0.0.1:" + std::to_string(own_port(text)) + "|192.0.2.1:123|192.0.2.2:5678||||||");
  const std::string ssl = std::string("\x20\0\x0c\x01\0\0\0\x05", 8) + std::string("\x22\0\x04", 3) + "some";
  const std::string rest = std::string("\xc0\0\2\7\xc0\0\2\x08\0\x50\1\xbb", 12) + std::string("\1\0\2h2\2\0\6a.test", 14) + ssl + std::string("\xea\0\3own", 6);
  const std::string header = std::string("\r\n\r\n\0\r\nQUIT\n\x21\x11\0", 15) + static_cast<char>(rest.size()) + rest;
  RawClient binary(s.port());
  binary.send(header + get + "GET /odd HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(binary.read_response().body ==
        "192.0.2.7:80|127.0.0.1:" + std::to_string(own_port(binary)) + "|192.0.2.7:80|192.0.2.8:443|h2|a.test|some|5|own|");
  CHECK(binary.read_response().body == "[]");
  CHECK(s.wait_for_log("unknown PROXY protocol TLV \"nobody\""));
}

TEST_CASE("how many connections do what") {
  Server s(answering("$connections_active|$connections_reading|$connections_writing|$connections_waiting"));
  RawClient idle(s.port());
  idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(idle.read_response().body == "1|0|1|0");
  CHECK(wait_until([&] { return ask(s, "GET / HTTP/1.1") == "2|0|1|1"; }));  // it waits a moment after its response has come
}

TEST_CASE("what the response's head has said, in the log") {
  Server s("log_format sent \"$uri [$sent_http_keep_alive|$sent_http_last_modified|$sent_http_transfer_encoding|$sent_http_location]\"; "
           "access_log %%DIR%%/sent.log sent; server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%/html; keepalive_timeout 75s 20s; "
           "location /chunked { echo a; echo_flush; echo b; } location /moved { return 302 /x; } }", {{"html/file", "x"}});
  RawClient c(s.port());
  const auto fetch_one = [&](const std::string& path) {
    c.send("GET " + path + " HTTP/1.1\r\nHost: site.test\r\n\r\n");
    return c.read_response();
  };
  const Response file = fetch_one("/file");
  CHECK(file.header("Keep-Alive") == "timeout=20");
  CHECK(s.wait_for_log("^/file \\[timeout=20\\|" + file.header("Last-Modified") + "\\|-?\\|-?\\]$", "sent.log"));
  CHECK(fetch_one("/chunked").header("Transfer-Encoding") == "chunked");
  CHECK(s.wait_for_log("^/chunked \\[timeout=20\\|-?\\|chunked\\|-?\\]$", "sent.log"));
  CHECK(fetch_one("/moved").status == 302);
  CHECK(s.wait_for_log("^/moved \\[timeout=20\\|-?\\|-?\\|http://site.test:" + std::to_string(s.port()) + "/x\\]$", "sent.log"));
}

TEST_CASE("what went to an upstream and came from it, and how long that took") {
  const std::string answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n";
  std::atomic<std::size_t> asked = 0;
  Upstream up([&](RawClient& c) {
    asked = c.read_until("\r\n\r\n").size() + c.read(4).size();
    c.send(answer);
    c.read_all();
  });
  Server s("log_format up \"[$upstream_bytes_sent|$upstream_bytes_received|$upstream_response_length|$upstream_trailer_x_sum|$upstream_trailer_none|"
           "$proxy_host|$proxy_port|$upstream_connect_time|$upstream_header_time|$upstream_response_time]\"; access_log %%DIR%%/up.log up; "
           "server { listen 127.0.0.1:%%PORT_0%%; location / { proxy_http_version 1.1; proxy_pass " + up.url() + "; } }");
  CHECK(ask(s, "POST / HTTP/1.1", "Host: a\r\nContent-Length: 4\r\n", "body") == "abc");
  const std::string time = "[0-9]+\\.[0-9]{3}";
  CHECK(s.wait_for_log("^\\[", "up.log"));
  CHECK_THAT(s.read("up.log"), Catch::Matchers::Matches("\\[" + std::to_string(asked) + "\\|" + std::to_string(answer.size()) + "\\|3\\|7\\|-\\|127\\.0\\.0\\.1:" +
                                                        std::to_string(up.port()) + "\\|" + std::to_string(up.port()) + "\\|" + time + "\\|" + time + "\\|" + time + "\\]\n"));
}

TEST_CASE("what a TLS client has offered, and which session it has") {
  const auto made = make_certificate({"localhost", "IP:127.0.0.1"});
  Server s(R"(server { listen 127.0.0.1:%%PORT_0%% ssl; server_name localhost; ssl_session_cache shared:a:1m; ssl_session_tickets off;
    ssl_certificate %%DIR%%/a.crt; ssl_certificate_key %%DIR%%/a.key; location / { return 200 "$ssl_ciphers|$ssl_curve|$ssl_curves|$ssl_session_id"; } })",
           {{"a.crt", made.certificate}, {"a.key", made.key}});
  TlsOptions options;
  options.max_version = TLS1_2_VERSION;
  options.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256";
  options.groups = "P-256:P-384";
  RawClient c(s.port());
  c.start_tls(options);
  c.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string body = c.read_response().body;
  CHECK_THAT(body, Catch::Matchers::StartsWith(options.ciphers + ":TLS_EMPTY_RENEGOTIATION_INFO_SCSV|prime256v1|prime256v1:secp384r1|"));
  unsigned size = 0;
  const auto session = c.session();
  const unsigned char* id = SSL_SESSION_get_id(session.get(), &size);
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    hex += "0123456789abcdef"[id[i] >> 4];
    hex += "0123456789abcdef"[id[i] & 15];
  }
  CHECK(size == 32);
  CHECK_THAT(body, Catch::Matchers::EndsWith("|" + hex));
}
