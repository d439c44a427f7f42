// Several processes with one state folder: one asks the CA, and whichever of them the CA looks at has the answer.
#include <filesystem>

#include "catch.h"
#include "e2e/acme_site.h"
#include "e2e/new_binary.h"

using namespace test;

namespace {

const PebbleOptions kNewProofs{.environment = {{"PEBBLE_AUTHZREUSE", "0"}}};

}  // namespace

TEST_CASE("a CA that looks at another server with the same state folder finds its answer there") {
  const bool plain = GENERATE(true, false);  // http-01, and tls-alpn-01
  const Ports ports;
  const auto ca = Pebble::start(ports.http, ports.tls, kNewProofs);
  if (!ca) return;
  const std::string state = make_folder() + "/state";
  write_file(state + "/left-by-a-process-that-died.http-01", "");
  const std::string issuer = "acme_issuer pebble { uri " + ca->directory() + "; ssl_trusted_certificate " + ca->authority() +
                             "; accept_terms_of_service; state_path " + state + "; retry_interval 1s 2s; }\nacme on;\n";
  const std::string name = "server_name a.example.test; return 200; }";
  Server asks(issuer + "server { listen 127.0.0.1:%%PORT_0%% ssl; " + (plain ? "listen 127.0.0.1:%%PORT_1%%; " : "") + name);
  REQUIRE(asks.wait_for_log("acme: no certificate for \"a.example.test\""));  // nobody is where the CA looks
  Server other(issuer + "server { " + ports.listen_tls() + (plain ? ports.listen_plain() : "") + name);
  CHECK(is_issued(asks));
  CHECK(is_issued(other));
  CHECK(other.error_log().find("asking for a certificate") == std::string::npos);
  for (const auto& file : std::filesystem::directory_iterator(state)) {
    INFO(file.path());
    CHECK(file.path().extension() != ".http-01");
    CHECK(file.path().extension() != ".tls-alpn-01");
  }
}

TEST_CASE("beside a new binary the old one renews, whichever of them the CA looks at") {
  const Ports ports;
  const auto ca = Pebble::start(ports.http, ports.tls, kNewProofs);
  if (!ca) return;
  Server s(ca->issuer("pebble", "retry_interval 1s;") + "acme on;\nserver { " + ports.listen_plain() + ports.listen_tls() +
           "server_name a.example.test b.example.test c.example.test; location / { return 200 $pid; } }");
  REQUIRE(is_issued(s));
  NewBinary other(upgrade(s));
  for (int i = 0; i < 3; ++i) CHECK(acme_command(s.folder(), {"renew", "a.example.test"}).exit_code == 0);
  CHECK(s.error_log().find("acme: no certificate for") == std::string::npos);
  s.stop();
  CHECK(acme_command(s.folder(), {"renew", "a.example.test"}).exit_code == 0);
  other.tell(SIGTERM);
  CHECK(wait_until([&] { return !std::filesystem::exists(s.folder() + "/nginx.pid"); }));
}
