// What goes wrong with clients before a handler or beside it (B37): each class is counted by server, and shows as a sample in a log
// that has no `info`: one line, however many there were.
#include <openssl/ssl.h>

#include <functional>
#include <sstream>

#include "catch.h"
#include "e2e/certificate.h"
#include "e2e/curl.h"
#include "e2e/h2_client.h"
#include "e2e/probe.h"
#include "e2e/raw_client.h"
#include "e2e/server.h"
#include "e2e/timing.h"
#include "e2e/tls_bytes.h"
#include "seawall/server/failures.h"

using namespace test;
using namespace std::chrono_literals;

namespace {

int lines_of(const Server& server, const std::string& file, const std::string& word) {
  std::istringstream text(server.read(file));
  int n = 0;
  for (std::string line; std::getline(text, line);) n += line.find(word) != std::string::npos;
  return n;
}

// 0: plain, 1: TLS, 2: PROXY, 3: HTTP/2, 4: another server's TLS, 5: counts.
class Site {
 public:
  Site() : server(with_probe(
      "error_log %%DIR%%/notice.log notice; error_log %%DIR%%/info.log info; access_log off; root %%DIR%%; ssl_certificate a.crt; ssl_certificate_key a.key; "
      "server { server_name a.test; listen 127.0.0.1:%%PORT_0%%; listen 127.0.0.1:%%PORT_1%% ssl; listen 127.0.0.1:%%PORT_2%% proxy_protocol; "
      "client_header_timeout 20s; ssl_handshake_timeout 20s; ssl_protocols TLSv1.2 TLSv1.3; "
      "location /body { probe_read on; } location /slow { probe_wait 60s; } location /big { } } "
      "server { server_name late.test; listen 127.0.0.1:%%PORT_3%%; listen 127.0.0.1:%%PORT_4%% ssl; listen 127.0.0.1:%%PORT_5%%; http2 on; "
      "client_header_timeout 300ms; client_body_timeout 300ms; handler_timeout 300ms; send_timeout 300ms; ssl_handshake_timeout 300ms; "
      "location /body { probe_read on; } location /slow { probe_wait 60s; } location /big { } location = /metrics { metrics; } }"),
      files()) {}

  RawClient client(int port, std::string_view bytes = {}) const {
    RawClient c(server.port(port));
    c.send(bytes);
    return c;
  }
  double count(const std::string& name) const {
    const std::string all = get(server.url("/metrics", 5)).body;
    double sum = 0;
    for (const char* vhost : {"a.test", "late.test"}) {
      const std::string key = "\nseawall_client_failures_total{vhost=\"" + std::string(vhost) + "\",class=\"" + name + "\"} ";
      const auto at = all.find(key);
      if (at != std::string::npos) sum += std::stod(all.substr(at + key.size()));
    }
    return sum;
  }
  double count_all() const {
    std::istringstream lines(get(server.url("/metrics", 5)).body);
    double sum = 0;
    for (std::string line; std::getline(lines, line);)
      if (line.starts_with("seawall_client_failures_total{")) sum += std::stod(line.substr(line.rfind(' ')));
    return sum;
  }
  int lines(const std::string& file, const std::string& word) const { return lines_of(server, file, word); }
  Server server;

 private:
  static Files files() {
    const auto made = make_certificate({"localhost"});
    return {{"a.crt", made.certificate}, {"a.key", made.key}, {"big", std::string(8 << 20, 'x')}};
  }
};

const std::string kHost = " HTTP/1.1\r\nHost: a\r\n";

void close_without_answer(RawClient client) { CHECK(client.expect_close(kPatience)); }
void end(RawClient client) { client.half_close(); close_without_answer(std::move(client)); }
void refused_with(RawClient client, int status) {
  CHECK(client.read_response().status == status);
  CHECK(client.expect_close(kPatience));
}
void fail_handshake(const Site& site, const TlsOptions& options) {
  RawClient client(site.server.port(1));
  CHECK_THROWS(client.start_tls(options));
}
// Reads the beginning of /big, so that the server is amid it.
RawClient amid_response(const Site& site, int port) {
  RawClient client(site.server.port(port), "127.0.0.1", 4096);
  client.send("GET /big" + kHost + "\r\n");
  client.read_until("\r\n\r\n");
  return client;
}

class Case {
 public:
  const char *name, *line;
  std::function<void(const Site&)> happen;
};

// Of all classes, but for too_many_headers.
const std::vector<Case> kCases = {
    {"tls_no_shared_protocol", "SSL_do_handshake() failed (SSL: error:0A000102", [](const Site& s) {
       TlsOptions old;
       old.min_version = old.max_version = TLS1_1_VERSION;
       old.ciphers = "ALL";
       fail_handshake(s, old);
     }},
    {"tls_no_shared_cipher", "SSL_do_handshake() failed (SSL: error:0A0000C1", [](const Site& s) {
       TlsOptions weak;
       weak.max_version = TLS1_2_VERSION;
       weak.ciphers = "AES128-SHA";
       fail_handshake(s, weak);
     }},
    {"tls_bad_record", "SSL_do_handshake() failed (SSL: error:0A00010B", [](const Site& s) { close_without_answer(s.client(1, "\x16\x09\x09\x01\x00" + std::string(300, 'x'))); }},
    {"tls_eof", "connection closed by peer while SSL handshaking", [](const Site& s) { end(s.client(1, TlsBytes().handshake("").substr(0, 50))); }},
    {"tls_other", "SSL_do_handshake() failed (SSL: error:0A0000F4", [](const Site& s) { close_without_answer(s.client(1, std::string("\x16\x03\x01\x00\x04\x02\x00\x00\x00", 9))); }},
    {"tls_http_on_https", "client sent plain HTTP request to HTTPS port", [](const Site& s) { refused_with(s.client(1, "GET /" + kHost + "\r\n"), 400); }},
    {"timeout_handshake", "client timed out while SSL handshaking", [](const Site& s) { close_without_answer(s.client(4)); }},
    {"timeout_header", "client timed out while reading client request headers", [](const Site& s) { refused_with(s.client(5, "GET / HT"), 408); }},
    {"timeout_body", "client timed out while reading client request body", [](const Site& s) { refused_with(s.client(5, "POST /body" + kHost + "Content-Length: 10\r\n\r\nabc"), 408); }},
    {"timeout_handler", "handler timed out", [](const Site& s) { CHECK(s.client(5, "GET /slow" + kHost + "\r\n").read_response().status == 503); }},
    {"timeout_send", "client timed out while sending response to client", [](const Site& s) {
       const std::string line = "client timed out while sending response to client";
       const int before = s.lines("info.log", line);
       const RawClient slow = amid_response(s, 5);
       CHECK(wait_until([&] { return s.lines("info.log", line) > before; }));
     }},
    {"reset_handshake", "connection reset by peer while SSL handshaking", [](const Site& s) { s.client(1, TlsBytes().handshake("").substr(0, 50)).reset(); }},
    {"reset_header", "client prematurely closed connection while reading client request headers", [](const Site& s) { end(s.client(0, "GET / HT")); }},
    {"reset_body", "client prematurely closed connection while reading client request body", [](const Site& s) { s.client(0, "POST /body" + kHost + "Content-Length: 10\r\n\r\nabc"); }},
    {"reset_handler", "client closed connection while the request was being processed", [](const Site& s) { s.client(0, "GET /slow" + kHost + "\r\n"); }},
    {"reset_send", "connection reset by peer while sending response to client", [](const Site& s) { amid_response(s, 0).reset(); }},
    {"bad_request_syntax", "client sent invalid request: malformed request", [](const Site& s) { refused_with(s.client(0, "GET /" + kHost + "Host: b\r\n\r\n"), 400); }},
    {"bad_request_uri_too_long", "client sent invalid request: request line too long", [](const Site& s) { refused_with(s.client(0, "GET /" + std::string(9000, 'x') + kHost + "\r\n"), 414); }},
    {"bad_request_header_too_large", "client sent invalid request: request header too large", [](const Site& s) { refused_with(s.client(0, "GET /" + kHost + "A: " + std::string(9000, 'x') + "\r\n\r\n"), 400); }},
    {"bad_request_version", "client sent invalid request: unsupported protocol version", [](const Site& s) { refused_with(s.client(0, "GET / HTTP/7.1\r\n\r\n"), 505); }},
    {"bad_request_not_supported", "client sent invalid request: not supported", [](const Site& s) { refused_with(s.client(0, "POST /" + kHost + "Transfer-Encoding: gzip\r\n\r\n"), 501); }},
    {"bad_request_http2", "client broke HTTP/2", [](const Site& s) {
       H2Client client(s.server.port(3));
       client.send_frame(NGHTTP2_DATA, 0, 0, "x");
       CHECK(client.gone_with(NGHTTP2_PROTOCOL_ERROR));
     }},
    {"bad_proxy_header", "broken header: \"NONSENSE", [](const Site& s) { close_without_answer(s.client(2, "NONSENSE\r\n")); }},
};

}  // namespace

TEST_CASE("each class of what goes wrong with clients is counted, and sampled where the log has no info (B37)") {
  CHECK(kCases.size() + 1 == seawall::kFailures);
  const Site site;
  double sum = 0;
  for (const Case& one : kCases) {
    INFO(one.name);
    for (int i = 0; i < 2; ++i) one.happen(site);
    CHECK(wait_until([&] { return site.count(one.name) == 2; }));
    CHECK(site.count(one.name) == 2);
    // The end of a client amid its body is seen by who reads that, and may be by who watches the client.
    CHECK(wait_until([&] { return site.lines("info.log", one.line) >= 2; }));
    // What is the server's own doing stands there each time.
    CHECK(site.lines("notice.log", one.line) == (std::string_view(one.name) == "timeout_handler" ? 2 : 1));
    // ... and no other class has been counted.
    CHECK(site.count_all() == (sum += 2));
  }
}

TEST_CASE("addresses with too many unfinished heads are counted, and sampled where the log has no info (B37)") {
  Server s("limit_conn_header 1;\nevents {}\nhttp { error_log %%DIR%%/notice.log notice; error_log %%DIR%%/info.log info; "
           "server { server_name a.test; listen 127.0.0.1:%%PORT_0%%; client_header_timeout 60s; location = /metrics { metrics; } } }");
  RawClient clients[] = {RawClient(s.port()), RawClient(s.port()), RawClient(s.port())};
  for (RawClient& client : clients) client.send("GET / HT");
  const std::string counted = "seawall_client_failures_total{vhost=\"a.test\",class=\"too_many_headers\"} 2\n";
  CHECK(wait_until([&] { return get(s.url("/metrics")).body.find(counted) != std::string::npos; }));
  CHECK(lines_of(s, "info.log", "too many unfinished request heads") == 2);
  CHECK(lines_of(s, "notice.log", "too many unfinished request heads") == 1);
}
