// Certificates from a CA (pebble), by each way of proving a name.
#include <openssl/pem.h>
#include <sys/stat.h>

#include <filesystem>

#include "catch.h"
#include "e2e/acme_site.h"
#include "e2e/handshakes.h"
#include "e2e/probe.h"
#include "e2e/times_in.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("acme on: three lines make a site that HTTPS clients trust, and its plain address redirects") {
  const Ports ports;
  const auto ca = Pebble::start(ports.http, ports.tls);
  if (!ca) return;
  const auto begin = Clock::now();
  Server s(ca->issuer("pebble") + "acme on;\nserver { " + ports.listen_plain() + ports.listen_tls() +
           "server_name www.example.test; location / { return 200 secure; } }");
  REQUIRE(is_issued(s));
  CHECK((!kStrictTimes || Clock::now() - begin < std::chrono::seconds(10)));
  CHECK(visit(*ca, ports.tls, "www.example.test").body == "secure");
  const Response plain = get("http://127.0.0.1:" + std::to_string(ports.http) + "/a?b", {"Host: www.example.test"});
  CHECK(plain.status == 301);
  CHECK(plain.header("Location") == "https://www.example.test:" + std::to_string(ports.tls) + "/a?b");
  struct stat status;
  for (const auto& file : std::filesystem::directory_iterator(s.folder() + "/state/pebble")) {
    INFO(file.path());
    if (file.path().extension() == ".new") continue;  // it is being written, and goes any moment
    REQUIRE(::stat(file.path().c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
  }
  REQUIRE(::stat((s.folder() + "/state/pebble").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0700);
}

TEST_CASE("a stored certificate is there from the first connection on, and after a reload") {
  const Ports ports;
  const auto ca = Pebble::start(ports.http, ports.tls);
  if (!ca) return;
  const std::string config = ca->issuer("pebble") + "acme on;\nserver { " + ports.listen_plain() + ports.listen_tls() +
                             "server_name www.example.test; return 200; }";
  Server s(config);
  REQUIRE(is_issued(s));
  const std::string serial = seen(ports.tls, "www.example.test").serial;
  REQUIRE(s.reload());
  CHECK(seen(ports.tls, "www.example.test").serial == serial);
  REQUIRE(s.reload(config + "server { listen 127.0.0.1:%%PORT_0%%; return 200; }"));
  CHECK(seen(ports.tls, "www.example.test").serial == serial);
}

TEST_CASE("without a plain address the proof is tls-alpn-01, and without a proof nobody speaks that") {
  const Ports ports;
  const auto ca = Pebble::start(ports.http, ports.tls);
  if (!ca) return;
  Server s(ca->issuer("pebble") + "acme on;\nserver { " + ports.listen_tls() +
           "server_name a.example.test b.example.test; return 200 ok; }");
  REQUIRE(is_issued(s));
  CHECK(visit(*ca, ports.tls, "b.example.test").body == "ok");
  TlsOptions curious = to("a.example.test");
  curious.alpn =
      "\x0a"
      "acme-tls/1";
  RawClient c(ports.tls);
  CHECK_THROWS(c.start_tls(curious));
}

TEST_CASE("a wildcard is proved in the DNS, by the hook") {
  const Ports ports;
  const auto ca = Pebble::start(ports.http, ports.tls);
  if (!ca) return;
  const std::string hook = ca->folder() + "/hook";
  const std::string port = ca->names().management().substr(ca->names().management().rfind(':') + 1);
  write_file(
      hook,
      "#!/bin/bash\nexec 3<>/dev/tcp/127.0.0.1/" + port +
          "\nbody=\"{\\\"host\\\":\\\"$2.\\\",\\\"value\\\":\\\"$3\\\"}\"\n"
          "[[ $1 == add ]] && to=set-txt || to=clear-txt\necho \"$@\" >> " +
          ca->folder() +
          "/calls\n"
          "printf 'POST /%s HTTP/1.0\\r\\nContent-Length: %d\\r\\n\\r\\n%s' $to ${#body} \"$body\" >&3\nread -r line <&3\n"
          "[[ $line == *200* ]]\n");
  REQUIRE(::chmod(hook.c_str(), 0755) == 0);
  Server s(ca->issuer("pebble", "challenge dns-01; hook " + hook + ";") + "server { " + ports.listen_tls() +
           "server_name .example.test; acme_certificate pebble key=rsa; return 200 ok; }");
  REQUIRE(is_issued(s));
  CHECK(visit(*ca, ports.tls, "any.example.test").body == "ok");
  CHECK(visit(*ca, ports.tls, "example.test").body == "ok");
  CHECK(seen(ports.tls, "any.example.test").key_type == EVP_PKEY_RSA);
  const std::string calls = read_file(ca->folder() + "/calls");
  CHECK_THAT(calls, ContainsSubstring("add _acme-challenge.example.test ") &&
                        ContainsSubstring("remove _acme-challenge.example.test "));
}

TEST_CASE("until the first certificate there is a self-signed one, or no handshake") {
  const Ports ports;
  const std::string nowhere =
      "acme_issuer gone { uri https://127.0.0.1:%%PORT_1%%/dir; state_path %%DIR%%/state; accept_terms_of_service; }\n";
  const std::string server =
      "server { " + ports.listen_tls() + "server_name a.example.test; acme_certificate gone; hsts; return 200 ok; }";
  Server s(nowhere + server);
  CHECK(seen(ports.tls, "a.example.test").issuer == "/CN=self-signed until a CA has answered");
  REQUIRE(s.wait_for_log("acme: no certificate for \"a.example.test\": asking .* failed: .*; next try in [0-9]+ s"));
  RawClient c(ports.tls);
  c.start_tls(to("a.example.test"));
  CHECK(ask(c, "a.example.test").count("Strict-Transport-Security") == 0);
  REQUIRE(s.reload("acme_pending reject; " + nowhere + server));
  RawClient refused(ports.tls);
  CHECK_THROWS(refused.start_tls(to("a.example.test")));
}

TEST_CASE("external account binding, and its absence is said") {
  const Ports ports;
  PebbleOptions options;
  options.wants_binding = true;
  const auto ca = Pebble::start(ports.http, ports.tls, options);
  if (!ca) return;
  const auto site = [&](const std::string& more) {
    return ca->issuer("pebble", more + "retry_interval 1s;") + "server { " + ports.listen_plain() + ports.listen_tls() +
           "server_name a.example.test; acme_certificate pebble; return 200; }";
  };
  Server s(site(""));
  REQUIRE(s.wait_for_log("say \"external_account_key\""));
  REQUIRE(s.reload(site(std::string("external_account_key kid-1 data:") + Pebble::kBindingKey + ";")));
  CHECK(is_issued(s));
}

TEST_CASE("renewals happen in the running worker, and not one handshake fails of all that are made meanwhile") {
  const Ports ports;
  PebbleOptions options;
  options.validity = 6;
  options.refused_nonces = 20;
  const auto ca = Pebble::start(ports.http, ports.tls, options);
  if (!ca) return;
  Server s("worker_processes 2;\nevents {}\nhttp { " + ca->issuer("pebble", "retry_interval 1s;") + "acme on; server { " +
           ports.listen_plain() + ports.listen_tls() + "server_name a.example.test; location / { return 200 $pid; } } }");
  REQUIRE(is_issued(s));
  const auto worker = [&] {
    RawClient c(ports.tls);
    c.start_tls(to("a.example.test"));
    return ask(c, "a.example.test").body;
  };
  const std::string before = worker();
  const auto begin = Clock::now();
  const int wanted = kStrictTimes ? 2000 : 50;
  Handshakes load(ports.tls, 4);
  std::vector<std::string> serials;
  while ((serials.size() < 4 || load.done() < wanted) && Clock::now() < begin + 6 * kPatience) {
    const std::string serial = seen(ports.tls, "a.example.test").serial;
    if (serials.empty() || serials.back() != serial) serials.push_back(serial);
  }
  load.stop();
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  WARN(load.done() << " requests, each with its handshake, in " << seconds << " s, over " << serials.size() - 1 << " renewals");
  CHECK(load.failure() == "");
  CHECK(serials.size() >= 4);
  CHECK(load.done() >= wanted);
  CHECK(worker() == before);
}

TEST_CASE("only the newest worker that serves asks: not one that has been taken over and still has clients, nor one that was refused") {
  const Ports ports;
  const auto ca = Pebble::start(ports.http, ports.tls);
  if (!ca) return;
  const std::string config = ca->issuer("pebble", "retry_interval 1s;") + "acme on;\nkeepalive_min_timeout 1m;\nserver { " +
                             ports.listen_plain() + ports.listen_tls() + "server_name a.example.test; location / { return 200 $pid; } }";
  Server s(config);
  REQUIRE(is_issued(s));
  RawClient held(ports.tls);
  held.start_tls(to("a.example.test"));
  const std::string old = ask(held, "a.example.test").body;
  const auto renew = [&] { return acme_command(s.folder(), {"renew", "a.example.test"}).exit_code; };
  const auto asked_by = [&](const std::string& pid) {
    return times_in(s.error_log(), "] " + pid + "#" + pid + ": acme: asking for a certificate");
  };
  REQUIRE(s.reload());
  RawClient c(ports.tls);
  c.start_tls(to("a.example.test"));
  const std::string present = ask(c, "a.example.test").body;
  REQUIRE(present != old);
  CHECK(renew() == 0);
  CHECK(asked_by(old) == 1);
  CHECK(asked_by(present) == 1);
  const std::string good = s.read("nginx.conf");
  CHECK(!s.reload(config + "nonsense;"));
  s.file("nginx.conf", good);
  CHECK(renew() == 0);
  CHECK(asked_by(old) == 1);
  CHECK(asked_by(present) == 2);
  CHECK(ask(held, "a.example.test").body == old);
}

TEST_CASE("of two servers with one state folder only one asks, and the other serves what it gets, and goes on when it ends") {
  const Ports ports;
  const auto ca = Pebble::start(ports.http, ports.tls);
  if (!ca) return;
  const std::string state = make_folder() + "/state";
  const std::string issuer = "acme_issuer pebble { uri " + ca->directory() + "; ssl_trusted_certificate " + ca->authority() +
                             "; accept_terms_of_service; state_path " + state + "; retry_interval 1s; }\nacme on;\n";
  auto first = std::make_unique<Server>(issuer + "server { " + ports.listen_plain() + ports.listen_tls() +
                                        "server_name a.example.test; return 200; }");
  REQUIRE(is_issued(*first));
  Server second(issuer + "server { listen 127.0.0.1:%%PORT_0%% ssl; server_name a.example.test; return 200; }");
  CHECK(seen(second.port(), "a.example.test").serial == seen(ports.tls, "a.example.test").serial);
  REQUIRE(second.wait_for_log("acme: another process keeps"));
  CHECK(second.error_log().find("asking for a certificate") == std::string::npos);
  first->stop();
  first.reset();
  CHECK(seen(second.port(), "a.example.test").issuer.find("Pebble") != std::string::npos);
  second.allow("acme: no certificate for");  // nobody answers where the CA looks, if it does
  acme_command(second.folder(), {"renew", "a.example.test"});
  CHECK(second.error_log().find("asking for a certificate of \"a.example.test\"") != std::string::npos);
}

TEST_CASE("of several chains the preferred one is served") {
  const Ports ports;
  PebbleOptions options;
  options.environment = {{"PEBBLE_ALTERNATE_ROOTS", "1"}};
  const auto ca = Pebble::start(ports.http, ports.tls, options);
  if (!ca) return;
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new(BIO_s_mem()), BIO_free);
  const std::string pem = ca->root(1);
  BIO_write(bio.get(), pem.data(), static_cast<int>(pem.size()));
  const std::unique_ptr<X509, decltype(&X509_free)> root(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free);
  char name[256];
  REQUIRE(X509_NAME_get_text_by_NID(X509_get_subject_name(root.get()), NID_commonName, name, sizeof name) > 0);
  Server s(ca->issuer("pebble", "preferred_chain \"" + std::string(name) + "\";") + "acme on;\nserver { " +
           ports.listen_plain() + ports.listen_tls() + "server_name a.example.test; location / { return 200 ok; } }");
  REQUIRE(is_issued(s));
  CHECK(visit(*ca, ports.tls, "a.example.test", 1).body == "ok");
  CHECK_THROWS(visit(*ca, ports.tls, "a.example.test", 0));
}

TEST_CASE("nginx's way to name the certificate") {
  const Ports ports;
  const auto ca = Pebble::start(ports.http, ports.tls);
  if (!ca) return;
  Server s("acme_shared_zone zone=acme:1M;\n" + ca->issuer("pebble") + "server { " + ports.listen_plain() + ports.listen_tls() +
           "server_name a.example.test; acme_certificate pebble; ssl_certificate $acme_certificate; "
           "ssl_certificate_key $acme_certificate_key; ssl_certificate_cache max=2; location / { return 200 ok; } }");
  REQUIRE(is_issued(s));
  CHECK(visit(*ca, ports.tls, "a.example.test").body == "ok");
}
