// Early data (0-RTT): taken where it is on, once for each ClientHello, and marked.
#include "catch.h"
#include "e2e/tls_ask.h"
#include "e2e/tls_bytes.h"
#include "e2e/upstream.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

Files files() {
  Files files;
  add(files, "a", make_certificate({"localhost"}));
  return files;
}

std::string server(const std::string& settings) {
  return "log_format uri \"$uri $ssl_early_data\"; access_log %%DIR%%/access.log uri; "
         "server { listen 127.0.0.1:%%PORT_0%% ssl; ssl_certificate %%DIR%%/a.crt; ssl_certificate_key %%DIR%%/a.key; " + settings +
         " location / { return 200 \"early=$ssl_early_data reused=$ssl_session_reused\"; } } ";
}

std::shared_ptr<SSL_SESSION> session(const Server& s) {
  RawClient c(s.port());
  c.start_tls();
  REQUIRE(ask(c, "localhost").body == "early= reused=.");
  return c.session();
}

TlsOptions resuming(const std::shared_ptr<SSL_SESSION>& kept, const std::string& early) {
  TlsOptions options;
  options.session = kept;
  options.early_data = early;
  return options;
}

const std::string kRequest = "GET /early HTTP/1.1\r\nHost: localhost\r\n\r\n";

}  // namespace

TEST_CASE("a request in early data is answered and says so, and the connection goes on") {
  Server s(server("ssl_early_data on;"), files());
  const auto kept = session(s);
  RawClient c(s.port());
  c.start_tls(resuming(kept, kRequest));
  CHECK(c.sends_early_data());
  CHECK(c.read_response().body == "early=1 reused=r");
  CHECK(ask(c, "localhost").body == "early= reused=r");
}

TEST_CASE("a request that is half early data") {
  Server s(server("ssl_early_data on;"), files());
  RawClient c(s.port());
  c.start_tls(resuming(session(s), kRequest.substr(0, 20)));
  REQUIRE(c.sends_early_data());
  c.send(kRequest.substr(20));
  CHECK(c.read_response().status == 200);
}

TEST_CASE("early data is refused where it is off, and the request can come later") {
  Server s(server("ssl_early_data on;") +
               "server { listen 127.0.0.1:%%PORT_1%% ssl; ssl_certificate %%DIR%%/a.crt; ssl_certificate_key %%DIR%%/a.key; "
               "location / { return 200 \"early=$ssl_early_data reused=$ssl_session_reused\"; } }", files());
  const auto kept = session(s);
  RawClient c(s.port(1));
  c.start_tls(resuming(kept, kRequest));
  CHECK_FALSE(c.sends_early_data());
  CHECK(ask(c, "localhost").body == "early= reused=r");
}

TEST_CASE("a replayed ClientHello's early data is not taken, on no loop and not after a reload") {
  Server s("worker_processes 2;\nevents {}\nhttp { " + server("ssl_early_data on;") + "}", files());
  const auto kept = session(s);
  TlsBytes tls(kept.get(), kRequest);
  const std::string flight = tls.handshake("");
  RawClient first(s.port());
  first.send(flight);
  REQUIRE(s.wait_for_log("/early 1", "access.log"));
  std::vector<std::unique_ptr<RawClient>> replays;
  for (int i = 0; i < 6; ++i) {
    if (i == 4) REQUIRE(s.reload());
    replays.push_back(std::make_unique<RawClient>(s.port()));
    replays.back()->send(flight);
    replays.back()->read(100);  // the server's answer to the hello
  }
  RawClient last(s.port());
  last.start_tls();
  REQUIRE(ask(last, "localhost", "/last").status == 200);
  REQUIRE(s.wait_for_log("/last", "access.log"));
  const std::string log = s.read("access.log");
  CHECK(log.find("/early") == log.rfind("/early"));
}

TEST_CASE("early data with TLS 1.2 and with a client that has none") {
  Server s(server("ssl_early_data on;"), files());
  for (int version : {TLS1_2_VERSION, TLS1_3_VERSION})
    CHECK(ask(s, only(to("localhost"), version), "localhost").body == "early= reused=.");
}

// RFC 8470: what an application does that must not be asked twice.
TEST_CASE("425 for early data: of the server's own, or of the server behind, who is told, and the same request is answered behind the handshake") {
  Upstream behind([](RawClient& c) {
    const std::string head = c.read_until("\r\n\r\n");
    const bool early = head.find("Early-Data: 1\r\n") != std::string::npos;
    c.send(early ? "HTTP/1.1 425 Too Early\r\nContent-Length: 0\r\n\r\n" : "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nlater");
  });
  Server s(server("ssl_early_data on; location /own { if ($ssl_early_data) { return 425; } return 200 later; }"
                  "location /behind { proxy_set_header Early-Data $ssl_early_data; proxy_pass " + behind.url() + "; }"),
           files());
  for (const std::string path : {"/own", "/behind"}) {
    const auto kept = session(s);
    RawClient c(s.port());
    c.start_tls(resuming(kept, "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    REQUIRE(c.sends_early_data());
    CHECK(c.read_response().status == 425);
    CHECK(ask(c, "localhost", path).body == "later");
  }
}
