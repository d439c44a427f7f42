// `seawall acme`: what it lists, what it says stands in the way, and what it makes a running server do.
#include <sys/stat.h>

#include <filesystem>

#include "catch.h"
#include "e2e/acme_site.h"
#include "e2e/probe.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

Run acme(const Server& s, const std::vector<std::string>& words) {
  return acme_command(s.folder(), words);
}

// Without a server.
Run acme_test(const std::string& config, const Files& files = {}) {
  const std::string folder = make_folder();
  for (const auto& [path, content] : files) write_file(folder + "/" + path, content);
  write_file(folder + "/nginx.conf", "events {}\nhttp { " + config + " }");
  return acme_command(folder, {"test"});
}

std::string issuer(const std::string& more = "uri https://127.0.0.1:1/dir;") {
  return "acme_issuer ca { state_path state; resolver 127.0.0.1:1; accept_terms_of_service; " + more + " } acme on; ";
}

}  // namespace

TEST_CASE("acme list, renew and revoke with a running server") {
  const Ports ports;
  const auto ca = Pebble::start(ports.http, ports.tls);
  if (!ca) return;
  Server s(ca->issuer("pebble", "retry_interval 1s;") + "acme on;\nserver { " + ports.listen_plain() + ports.listen_tls() +
           "server_name localhost.example.test; return 200; }");
  REQUIRE(is_issued(s));
  const Run list = acme(s, {"list"});
  CHECK(list.exit_code == 0);
  CHECK_THAT(list.out, ContainsSubstring("localhost.example.test\n  issuer      pebble (Pebble Intermediate CA"));
  CHECK_THAT(list.out, ContainsSubstring("  valid until ") && ContainsSubstring("  next try    "));
  const std::string serial = seen(ports.tls, "localhost.example.test").serial;
  const Run renewed = acme(s, {"renew", "localhost.example.test"});
  CHECK(renewed.exit_code == 0);
  CHECK_THAT(renewed.out, ContainsSubstring(": renewed\n"));
  const auto issued = Clock::now();
  REQUIRE(s.wait_for_log("in use, by Pebble(.*\n)*.*in use, by Pebble"));
  CHECK((!kStrictTimes || Clock::now() - issued < std::chrono::seconds(1)));  // B10
  CHECK(seen(ports.tls, "localhost.example.test").serial != serial);
  const Run revoked = acme(s, {"revoke", "localhost.example.test"});
  CHECK(revoked.exit_code == 0);
  CHECK_THAT(revoked.out, ContainsSubstring("revoked"));
  CHECK_THAT(ca->log(), ContainsSubstring("revoke"));
  CHECK(acme(s, {"renew", "other.test"}).exit_code == 1);
  CHECK_THAT(acme(s, {"dance"}).err, ContainsSubstring("usage: seawall acme list"));
}

TEST_CASE("acme import-certbot takes what certbot has got") {
  const Ports ports;
  const std::string config =
      "acme_issuer gone { uri https://127.0.0.1:1/dir; state_path %%DIR%%/state; accept_terms_of_service; }\nacme on;\n"
      "server { " +
      ports.listen_tls() + "server_name a.example.test; return 200; }";
  const Certificate own = make_certificate({"a.example.test"}), other = make_certificate({"b.example.test"});
  Server s(config, {{"letsencrypt/live/b/fullchain.pem", other.certificate},
                    {"letsencrypt/live/b/privkey.pem", other.key},
                    {"letsencrypt/live/a/fullchain.pem", own.certificate},
                    {"letsencrypt/live/a/privkey.pem", own.key}});
  const Run run = acme(s, {"import-certbot", s.folder() + "/letsencrypt"});
  CHECK(run.exit_code == 0);
  CHECK_THAT(run.out, ContainsSubstring("a.example.test: taken from "));
  REQUIRE(s.wait_for_log("the certificate of \"a.example.test\" is in use, by a.example.test"));
  CHECK(seen(ports.tls, "a.example.test").issuer == "/CN=a.example.test");
  CHECK_THAT(acme(s, {"import-certbot", s.folder() + "/letsencrypt"}).out, ContainsSubstring("nothing in "));
}

// The command is root's, and the first to need the folder; the worker is not root's.
TEST_CASE("what acme import-certbot has taken before the first start, the worker serves, renews and keeps") {
  if (::geteuid() != 0) {
    WARN("needs root: skipped");
    return;
  }
  const Ports ports;
  const auto ca = Pebble::start(ports.http, ports.tls);
  if (!ca) return;
  const std::string above = make_folder();
  REQUIRE(::chmod(above.c_str(), 0711) == 0);  // the worker may pass through, not write
  CertificateOptions options;
  options.names = {"a.example.test"};
  options.days = 60;
  const Certificate own = make_certificate(options), shorter = make_certificate({"a.example.test"});
  write_file(above + "/letsencrypt/live/a/fullchain.pem", shorter.certificate);
  write_file(above + "/letsencrypt/live/a/privkey.pem", shorter.key);
  write_file(above + "/letsencrypt/live/a-0001/fullchain.pem", own.certificate);
  write_file(above + "/letsencrypt/live/a-0001/privkey.pem", own.key);
  const std::string config = "user nobody nogroup;\nevents {}\nhttp { acme_issuer pebble { uri " + ca->directory() +
                             "; ssl_trusted_certificate " + ca->authority() + "; accept_terms_of_service; state_path " + above +
                             "/state; } acme on; server { " + ports.listen_plain() + ports.listen_tls() +
                             "server_name a.example.test; return 200; } }";
  write_file(above + "/nginx.conf", config);
  CHECK(acme_command(above, {"renew", "a.example.test"}).exit_code == 1);  // no server
  CHECK_THAT(acme_command(above, {"import-certbot", above + "/letsencrypt"}).out, ContainsSubstring("a.example.test: taken from "));
  Server s(config);
  REQUIRE(s.wait_for_log("the certificate of \"a.example.test\" is in use, by a.example.test"));
  CHECK_THAT(acme_command(above, {"list"}).out, ContainsSubstring("pebble (a.example.test)"));
  const Run renewed = acme_command(above, {"renew", "a.example.test"});
  CHECK_THAT(renewed.out + renewed.err, ContainsSubstring("a.example.test: renewed"));
  CHECK(is_issued(s));
  CHECK(seen(ports.tls, "a.example.test").issuer.find("Pebble") != std::string::npos);
  for (const auto& file : std::filesystem::directory_iterator(above + "/state")) {
    INFO(file.path());
    struct stat status;
    if (file.path().extension() == ".new") continue;  // it is being written, and goes any moment
    REQUIRE(::stat(file.path().c_str(), &status) == 0);
    CHECK(status.st_uid == 65534);
  }
}

TEST_CASE("acme revoke signs with the certificate's own key where no account of ours has asked for it") {
  const Ports ports;
  const auto ca = Pebble::start(ports.http, ports.tls);
  if (!ca) return;
  Server s(ca->issuer("pebble", "retry_interval 1s;") + "acme on;\nserver { " + ports.listen_plain() + ports.listen_tls() +
           "server_name a.example.test; return 200; }");
  REQUIRE(is_issued(s));
  REQUIRE(std::filesystem::remove(s.folder() + "/state/pebble/account.json"));
  const std::string serial = seen(ports.tls, "a.example.test").serial;
  const Run revoked = acme(s, {"revoke", "a.example.test"});
  CHECK_THAT(revoked.out + revoked.err, ContainsSubstring("a.example.test: revoked"));
  const auto renewed = [&] { return seen(ports.tls, "a.example.test").serial != serial; };
  CHECK(wait_for_change(s.folder() + "/state/pebble", renewed, Clock::now() + 3 * kPatience));
}

TEST_CASE("acme test says what stands in the way of a certificate") {
  const std::string tls = "server { listen 127.0.0.1:8443 ssl; server_name no-such-name.example.test; }";
  const Run unreachable = acme_test(issuer() + tls);
  CHECK(unreachable.exit_code == 1);
  CHECK_THAT(unreachable.out, ContainsSubstring("state: the folder is not there yet"));
  CHECK_THAT(unreachable.out, ContainsSubstring("no server listens on port 443 with TLS"));
  CHECK_THAT(unreachable.out, ContainsSubstring("the CA https://127.0.0.1:1/dir cannot be used"));
  CHECK_THAT(acme_test(issuer("uri https://127.0.0.1:1/dir; challenge http-01;") + tls).out,
             ContainsSubstring("no server listens without TLS, which http-01 needs"));
  CHECK_THAT(acme_test(issuer("uri https://127.0.0.1:1/dir; challenge dns-01; hook state;") + tls).out,
             ContainsSubstring("is no program that can be run: chmod +x"));
}

TEST_CASE("acme test knows a CA's wishes, a closed port, another server, and the last error") {
  const Ports ports;
  PebbleOptions options;
  options.wants_binding = true;
  const auto ca = Pebble::start(ports.http, ports.tls, options);
  if (!ca) return;
  const std::string issuer = "acme_issuer ca { uri " + ca->directory() + "; ssl_trusted_certificate " + ca->authority() +
                             "; resolver " + ca->names().address() + "; state_path %%DIR%%/state; }\nacme on;\n";
  const std::string site =
      "server { " + ports.listen_plain() + ports.listen_tls() + "server_name localhost.localdomain; return 200; }";
  {
    Server s(issuer + site);
    REQUIRE(s.wait_for_log("acme: no certificate for"));
    const std::string out = acme(s, {"test"}).out;
    CHECK_THAT(out, ContainsSubstring("are not accepted: say accept_terms_of_service"));
    CHECK_THAT(out, ContainsSubstring("say external_account_key"));
    CHECK_THAT(out, ContainsSubstring("the last try has failed"));
  }
}

TEST_CASE("a server with a certificate of certbot's is left as it is, also under acme on") {
  const Certificate own = make_certificate({"a.example.test"});
  Server s("acme on; server { listen 127.0.0.1:%%PORT_0%%; listen 127.0.0.1:%%PORT_1%% ssl; server_name a.example.test; "
           "ssl_certificate %%DIR%%/a.crt; ssl_certificate_key %%DIR%%/a.key; location / { return 200 plain; } }",
           {{"a.crt", own.certificate}, {"a.key", own.key}});
  CHECK(seen(s.port(1), "a.example.test").issuer == "/CN=a.example.test");
  CHECK(get(s.url()).body == "plain");  // nobody has said redirect_https
  CHECK(!std::filesystem::exists(s.folder() + "/acme"));
  CHECK_THAT(acme(s, {"list"}).out, ContainsSubstring("no server of this configuration has a certificate of an ACME issuer"));
}

TEST_CASE("directives of ACME that make no sense are refused") {
  const auto refuses = [](const std::string& config, const std::string& words) {
    INFO(config);
    CHECK_THAT(check_config(config).err, ContainsSubstring(words));
  };
  const std::string tls = "server { listen 127.0.0.1:%%PORT_0%% ssl; ";
  refuses("acme_issuer a { state_path s; }", "\"uri\" is not set for \"acme_issuer\"");
  refuses("acme_issuer a { uri ftp://x; }", "invalid uri \"ftp://x\" in");
  refuses("acme_issuer a { uri https://x; url y; }", "unknown directive \"url\" in");
  refuses("acme_issuer a { uri https://x; uri https://y; }", "\"uri\" directive is duplicate");
  refuses("acme_issuer a { uri https://x; state_path off; }", "\"state_path off\" is not supported yet");
  refuses("acme_issuer a { uri https://x; challenge dns-01; }", "\"challenge dns-01\" needs a \"hook\"");
  refuses("acme_issuer a { uri https://x; } acme_issuer a { uri https://y; }", "duplicate acme_issuer \"a\"");
  refuses("acme_issuer a { uri https://x; fallback b; }", "acme_issuer \"b\" not found");
  refuses("acme_issuer a { uri https://x; fallback a; }", "\"fallback\" of \"a\" is the issuer itself");
  refuses("acme_issuer a { uri https://x; dns_delay 2h; }", "invalid value \"2h\" in \"dns_delay\" directive");
  refuses("acme_issuer a { uri https://x; resolver ns.test; }", "invalid value \"ns.test\" in \"resolver\" directive");
  refuses("acme_issuer a { uri https://x; ssl_trusted_certificate /dev/null; }", "cannot read \"/dev/null\"");
  refuses("acme_issuer a { uri https://x; ssl_trusted_certificate /etc/passwd; }", "\"/etc/passwd\"");
  refuses("acme_issuer a { uri https://x; account_key /etc/passwd; }", "invalid \"account_key\"");
  refuses("acme on; " + tls + "server_name www.test; }", "no public CA gives a certificate for \"www.test\"");
  refuses("acme on; " + tls + "server_name _; }", "no \"server_name\" here is a name that a certificate can have");
  refuses("acme on; " + tls + "server_name *.a.org; }", "a certificate for \"*.a.org\" needs \"challenge dns-01\"");
  refuses(tls + "server_name a.org; acme_certificate none; }", "acme_issuer \"none\" not found");
  refuses("acme_issuer a { uri https://x; } " + tls + "acme_certificate a b.org key=dsa; }", "unsupported key type \"dsa\"");
  refuses(tls + "server_name a.org; }", "no \"ssl_certificate\" is defined for the \"listen ... ssl\" directive in");
}
