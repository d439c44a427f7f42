// Attacks on TLS by name.
#include <signal.h>

#include "catch.h"
#include "e2e/certificate.h"
#include "e2e/curl.h"
#include "e2e/timing.h"
#include "e2e/tls_ask.h"

using namespace test;

namespace {

class Target : public Server {
 public:
  explicit Target(const Certificate& made = make_certificate({"localhost"}))
      : Server("client_header_timeout 600s; server { listen 127.0.0.1:%%PORT_0%% ssl; ssl_certificate a.crt; ssl_certificate_key a.key;"
               "location / { return 200 ok; } }",
               {{"a.crt", made.certificate}, {"a.key", made.key}}) {
    ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to a socket that the server may have closed
  }
};

// Each wants an answer.
int send_key_updates(RawClient& c, int times) {
  int sent = 0;
  while (sent < times && SSL_key_update(c.tls(), SSL_KEY_UPDATE_REQUESTED) == 1 && SSL_do_handshake(c.tls()) == 1) ++sent;
  return sent;
}

}  // namespace

TEST_CASE("KeyUpdate flood: thousands of them in one read, each of which wants an answer") {
  for (const std::string alpn : {"", "\x02h2"}) {
    Target s;
    RawClient c(s.port());
    TlsOptions options = only(to("localhost"), TLS1_3_VERSION);
    options.alpn = alpn;
    c.start_tls(options);
    send_key_updates(c, 5000);
    CHECK(s.wait_for_log("client sent too many key updates"));
    CHECK(c.expect_close(kPatience));
    CHECK(get(s.tls_url()).body == "ok");
  }
}

TEST_CASE("key updates of a client that has work for them are served") {
  Target s;
  RawClient c(s.port());
  c.start_tls(only(to("localhost"), TLS1_3_VERSION));
  for (int i = 0; i < 10; ++i) {
    CHECK(send_key_updates(c, 1) == 1);
    CHECK(ask(c, "localhost").body == "ok");
  }
}
