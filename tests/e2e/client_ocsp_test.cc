// ssl_ocsp: clients whose certificates have been revoked, as the issuer's responder says.
#include <atomic>
#include <thread>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/tls_ask.h"
#include "e2e/upstream.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

// Knows one answer, about whoever is asked for.
class Responder {
 public:
  std::string response;
  std::atomic<int> asked{0};
  Upstream upstream{[this](RawClient& c) {
    c.read_until("\r\n\r\n");
    ++asked;
    c.send("HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\n\r\n" + response);
    c.half_close();
  }};
};

class People {
 public:
  Certificate server = make_certificate({"localhost"}), authority = make_certificate({"authority"}), friendly;
  explicit People(const std::string& responder) {
    CertificateOptions options;
    options.names = {"friend"};
    options.issuer = &authority;
    options.authority = false;
    options.responder = responder;
    friendly = make_certificate(options);
  }
  Files files() const {
    Files files{{"ca.crt", authority.certificate}};
    add(files, "server", server);
    return files;
  }
};

std::string server(const std::string& settings) {
  return "server { listen 127.0.0.1:%%PORT_0%% ssl; ssl_certificate %%DIR%%/server.crt; ssl_certificate_key %%DIR%%/server.key;"
         " ssl_verify_client on; ssl_client_certificate %%DIR%%/ca.crt; " + settings + " location / { return 200 $ssl_client_verify; } }";
}

Response asked_by(const Server& s, const Certificate& own) { return ask(s, with(to("localhost"), own), "localhost"); }

}  // namespace

TEST_CASE("ssl_ocsp: who is good may pass, who is revoked may not, and nobody is believed who is not the issuer") {
  Responder responder;
  const People people(responder.upstream.url());
  Server s(server("ssl_ocsp on;"), people.files());
  responder.response = make_ocsp_response(people.authority, people.friendly);
  CHECK(asked_by(s, people.friendly).body == "SUCCESS");
  responder.response = make_ocsp_response(people.authority, people.friendly, true);
  CHECK(asked_by(s, people.friendly).status == 400);
  CHECK(s.wait_for_log("client SSL certificate verify error: certificate revoked"));
  responder.response = make_ocsp_response(people.friendly, people.friendly);  // signed by himself
  CHECK(asked_by(s, people.friendly).status == 400);
  CHECK(s.wait_for_log("client SSL certificate verify error: certificate status request failed"));
  responder.response = "nonsense";
  CHECK(asked_by(s, people.friendly).status == 400);
}

TEST_CASE("ssl_ocsp_responder and ssl_ocsp_cache") {
  Responder responder;
  const People people("http://127.0.0.1:1/");
  responder.response = make_ocsp_response(people.authority, people.friendly);
  Server s(server("ssl_ocsp leaf; ssl_ocsp_cache shared:ocsp:1m; ssl_ocsp_responder " + responder.upstream.url() + ";"), people.files());
  for (int i = 0; i < 3; ++i) CHECK(asked_by(s, people.friendly).body == "SUCCESS");
  CHECK(responder.asked == 1);
}

TEST_CASE("ssl_ocsp: a responder that says nothing holds up nobody else") {
  std::atomic<bool> over{false};
  Upstream silent([&](RawClient& c) {
    c.read_until("\r\n\r\n");
    while (!over) std::this_thread::yield();
  });
  const People people(silent.url());
  Server s(server("ssl_ocsp on;") + "server { listen 127.0.0.1:%%PORT_1%%; return 200 ok; }", people.files());
  RawClient waiting(s.port());
  waiting.start_tls(with(to("localhost"), people.friendly));
  while (silent.connections() == 0) std::this_thread::yield();
  CHECK(get("http://127.0.0.1:" + std::to_string(s.port(1)) + "/").body == "ok");
  over = true;
}

TEST_CASE("mistakes of ssl_ocsp are named") {
  const People people("");
  const auto complaint = [&](const std::string& settings) { return check_config(server(settings), people.files()).err; };
  CHECK_THAT(complaint("ssl_ocsp_responder https://a/;"), ContainsSubstring("invalid URL prefix in OCSP responder \"https://a/\""));
  CHECK_THAT(complaint("ssl_ocsp_cache shared:a;"), ContainsSubstring("invalid OCSP cache \"shared:a\""));
  CHECK_THAT(complaint("ssl_ocsp_cache shared:a:1k;"), ContainsSubstring("OCSP cache \"shared:a:1k\" is too small"));
}
