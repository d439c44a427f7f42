// OCSP stapling: from a file and from a responder, which no handshake waits for.
#include <atomic>

#include "catch.h"
#include "e2e/tls_ask.h"
#include "e2e/upstream.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

class Chain {
 public:
  Certificate authority = make_certificate({"authority"}), leaf;
  explicit Chain(const std::string& responder) {
    CertificateOptions options;
    options.names = {"localhost"};
    options.issuer = &authority;
    options.authority = false;
    options.responder = responder;
    leaf = make_certificate(options);
  }
  Files files() const {
    return {{"a.crt", leaf.certificate + authority.certificate}, {"alone.crt", leaf.certificate}, {"a.key", leaf.key},
            {"ca.crt", authority.certificate}};
  }
};

std::string server(const std::string& settings, const std::string& certificate = "a.crt") {
  return "server { listen 127.0.0.1:%%PORT_0%% ssl; ssl_certificate %%DIR%%/" + certificate +
         "; ssl_certificate_key %%DIR%%/a.key; ssl_stapling on; " + settings + " location / { return 204; } }";
}

std::string staple(const Server& s) {
  TlsOptions options;
  options.ask_status = true;
  RawClient c(s.port());
  c.start_tls(options);
  return c.staple();
}

bool comes_to_staple(const Server& s, const std::string& response) {
  const auto deadline = Clock::now() + kPatience;
  while (Clock::now() < deadline)
    if (staple(s) == response) return true;
  return false;
}

// Certificates, in its handshakes.
bool comes_to_send(const Server& s, int certificates) {
  const auto deadline = Clock::now() + kPatience;
  while (Clock::now() < deadline) {
    RawClient c(s.port());
    c.start_tls();
    if (sk_X509_num(SSL_get_peer_cert_chain(c.tls())) == certificates) return true;
  }
  return false;
}

// Answers with the response that the test will have made by then.
class Answers {
 public:
  std::string response, request;
  Upstream upstream{[this](RawClient& c) {
    request = c.read_until("\r\n\r\n");
    c.send("HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\n\r\n" + response);
    c.half_close();
  }};
};

}  // namespace

TEST_CASE("a stapled response from a file") {
  const Chain chain("");
  Files files = chain.files();
  const std::string response = make_ocsp_response(chain.authority, chain.leaf);
  files.emplace_back("a.der", response);
  Server s(server("ssl_stapling_file %%DIR%%/a.der;"), files);
  CHECK(staple(s) == response);
  CHECK(ask(s, to("localhost"), "localhost").status == 204);
  files.back().second = "nonsense";
  CHECK_THAT(check_config(server("ssl_stapling_file %%DIR%%/a.der;"), files).err,
             ContainsSubstring("cannot load OCSP response \"") && ContainsSubstring("d2i_OCSP_RESPONSE() failed"));
}

TEST_CASE("a stapled response that was fetched, from the certificate's responder or another") {
  for (const char* settings : {"", "ssl_stapling_verify on; ssl_trusted_certificate %%DIR%%/ca.crt;"}) {
    Answers answers;
    const Chain chain(answers.upstream.url() + "/path");
    answers.response = make_ocsp_response(chain.authority, chain.leaf);
    Server s(server(settings), chain.files());
    CHECK(comes_to_staple(s, answers.response));
    CHECK_THAT(answers.request, ContainsSubstring("GET /path/") && ContainsSubstring("HTTP/1.0\r\nHost: 127.0.0.1:"));
  }
  Answers answers;
  const Chain chain("http://127.0.0.1:1/");
  answers.response = make_ocsp_response(chain.authority, chain.leaf);
  Server s(server("ssl_trusted_certificate %%DIR%%/ca.crt; ssl_stapling_responder " + answers.upstream.url() + ";", "alone.crt"),
           chain.files());
  CHECK(comes_to_staple(s, answers.response));
}

TEST_CASE("responses that are not stapled: revoked, of another authority, of another certificate, none at all") {
  const auto refuses = [](const std::function<std::string(const Chain&)>& make, const std::string& complaint) {
    Answers answers;
    const Chain chain(answers.upstream.url());
    answers.response = make(chain);
    Server s(server("ssl_stapling_verify on; ssl_trusted_certificate %%DIR%%/ca.crt;"), chain.files());
    CHECK(s.wait_for_log(complaint + ".* while requesting certificate status, responder: 127.0.0.1:"));
    CHECK(staple(s) == "");
  };
  const Chain other("");
  refuses([](const Chain& c) { return make_ocsp_response(c.authority, c.leaf, true); }, "certificate status \"revoked\"");
  refuses([&](const Chain& c) { return make_ocsp_response(other.authority, c.leaf); }, "OCSP_basic_verify\\(\\) failed");
  refuses([](const Chain& c) { return make_ocsp_response(c.authority, c.authority); }, "certificate status not found");
  refuses([](const Chain&) { return "nonsense"; }, "d2i_OCSP_RESPONSE\\(\\) failed");
}

TEST_CASE("a renewal of the same certificate keeps its response, and asks no sooner") {
  std::atomic<int> asked = 0;
  std::string response;
  Upstream upstream([&](RawClient& c) {
    c.read_until("\r\n\r\n");
    if (asked++ == 0) c.send("HTTP/1.1 200 OK\r\n\r\n" + response);
    c.half_close();
  });
  const Chain chain(upstream.url());
  response = make_ocsp_response(chain.authority, chain.leaf);
  Server s(server(""), chain.files());
  REQUIRE(comes_to_staple(s, response));
  s.file("a.crt", chain.leaf.certificate + chain.authority.certificate + make_certificate({"one more"}).certificate);
  REQUIRE(comes_to_send(s, 3));
  CHECK(staple(s) == response);
  CHECK(asked == 1);
}

TEST_CASE("a responder that says nothing holds up no handshake and no end") {
  Upstream silent([](RawClient& c) { c.expect_close(kPatience); });
  const Chain chain(silent.url());
  Server s(server(""), chain.files());
  CHECK(staple(s) == "");
  CHECK(ask(s, to("localhost"), "localhost").status == 204);
  s.stop();
}

TEST_CASE("what keeps a certificate without a stapled response is a warning") {
  const Chain none("");
  CHECK_THAT(check_config(server(""), none.files()).err,
             ContainsSubstring("[warn] \"ssl_stapling\" ignored, no OCSP responder URL in the certificate \""));
  CHECK_THAT(check_config(server("", "alone.crt"), none.files()).err,
             ContainsSubstring("\"ssl_stapling\" ignored, issuer certificate not found"));
  CHECK_THAT(check_config(server("ssl_stapling_responder https://a/;"), none.files()).err,
             ContainsSubstring("\"ssl_stapling\" ignored, invalid URL prefix in OCSP responder \"https://a/\""));
}
