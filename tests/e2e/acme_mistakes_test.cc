// `seawall acme test`: each of the mistakes that people make is explained in one sentence with what to do. The DNS is pebble's, the
// CA a few words of HTTP, because it is hardly asked anything.
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "catch.h"
#include "e2e/acme_site.h"
#include "e2e/upstream.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

// Says its directory to GET and HEAD, and the same error to all else.
class Ca {
 public:
  std::string meta = "\"caaIdentities\":[\"ca.test\"]";
  std::string date;     // empty: none
  std::string problem;  // the answer to POST
  std::string url() const { return up_.url(); }

 private:
  std::string reply(const std::string& head) const {
    std::string body = "{\"newNonce\":\"" + up_.url() + "/n\",\"newAccount\":\"" + up_.url() + "/a\",\"newOrder\":\"" + up_.url() +
                       "/o\",\"meta\":{" + meta + "}}";
    std::string fields = "Replay-Nonce: bm9uY2U\r\nConnection: close\r\n" + (date.empty() ? "" : "Date: " + date + "\r\n");
    if (head.starts_with("POST")) body = problem;
    fields += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    return (head.starts_with("POST") ? "HTTP/1.1 429 x\r\n" : "HTTP/1.1 200 OK\r\n") + fields + (head.starts_with("HEAD") ? "" : body);
  }
  void play(RawClient& c) {
    const std::string head = c.read_until("\r\n\r\n");
    const auto size = head.find("Content-Length: ");
    if (size != std::string::npos) c.read(std::stoul(head.substr(size + 16)));
    c.send(reply(head));
  }
  Upstream up_{[this](RawClient& c) { play(c); }};
};

class Site {
 public:
  Ca ca;
  std::unique_ptr<NameServer> names = NameServer::start();
  Ports ports;
  std::string more;                                          // in acme_issuer
  std::string terms = "accept_terms_of_service;";
  std::string address = "127.0.0.1";                         // that it listens at

  std::string listen() const {
    return "listen " + address + ":" + std::to_string(ports.http) + "; listen " + address + ":" + std::to_string(ports.tls) + " ssl; ";
  }
  std::string config() const {
    return "acme_issuer ca { uri " + ca.url() + "/dir; resolver " + names->address() + "; state_path %%DIR%%/state; " + terms + more +
           " } acme on; server { " + listen() + "server_name a.example.test; return 200; }";
  }
  // Beside a server that runs.
  static std::string test(const Server& s) {
    return acme_command(s.folder(), {"test"}).out;
  }
  // Without one.
  std::string test() const {
    const std::string folder = make_folder();
    std::string text = "events {}\nhttp { " + config() + " }";
    for (auto at = text.find("%%DIR%%"); at != std::string::npos; at = text.find("%%DIR%%")) text.replace(at, 7, folder);
    write_file(folder + "/nginx.conf", text);
    return acme_command(folder, {"test"}).out;
  }
};

}  // namespace

TEST_CASE("acme test: of what is right nothing is said") {
  Site site;
  if (!site.names) return;
  site.ca.problem = "{}";
  Server s(site.config());
  REQUIRE(s.wait_for_log("acme: no certificate for"));  // this CA gives none
  const std::string said = Site::test(s);
  CHECK_THAT(said, ContainsSubstring("no server listens on port 80, where CAs look for http-01"));  // a test's port is another
  CHECK_THAT(said, ContainsSubstring("the last try has failed"));
  CHECK(std::count(said.begin(), said.end(), '\n') == 3);
}

TEST_CASE("acme test, mistake 1: the port is closed") {
  const Site site;
  if (!site.names) return;
  CHECK_THAT(site.test(), ContainsSubstring("a.example.test: port " + std::to_string(site.ports.http) +
                                            " of 127.0.0.1 is closed (Connection refused), where the CA looks for the answer of "
                                            "http-01: start the server, let it listen there, and the firewall let it through\n"));
}

TEST_CASE("acme test, mistake 2: the name has no address") {
  const Site site;
  if (!site.names) return;
  site.names->tell("set-default-ipv4", "{\"ip\":\"\"}");
  CHECK_THAT(site.test(), ContainsSubstring("a.example.test: has no address in the DNS (") &&
                              ContainsSubstring("): add an A or AAAA record that points to this machine\n"));
}

TEST_CASE("acme test, mistake 3: the DNS says another address") {
  Site site;
  if (!site.names) return;
  site.names->tell("add-a", "{\"host\":\"a.example.test.\",\"addresses\":[\"127.0.0.77\"]}");
  CHECK_THAT(site.test(), ContainsSubstring("of 127.0.0.77 is closed (Connection refused), where the CA looks for the answer of "
                                            "http-01: correct the A record, or open the port there\n"));
  site.address = "127.0.0.77";  // as behind a router: it answers, and is not this machine's as far as that knows
  Server s(site.config());
  CHECK_THAT(Site::test(s), ContainsSubstring("the DNS says 127.0.0.77, which is no address of this machine: unless a router hands its port " +
                                              std::to_string(site.ports.http) + " on to here, correct the A record\n"));
}

TEST_CASE("acme test, mistake 4: an AAAA record leads elsewhere") {
  const Site site;
  if (!site.names) return;
  site.names->tell("add-aaaa", "{\"host\":\"a.example.test.\",\"addresses\":[\"100::1\"]}");
  Server s(site.config());
  CHECK_THAT(Site::test(s), ContainsSubstring("of 100::1 is closed (") && ContainsSubstring(": correct the AAAA record, or open the port there\n"));
}

TEST_CASE("acme test, mistake 5: CAA records allow another CA") {
  const Site site;
  if (!site.names) return;
  site.names->tell("add-caa", "{\"host\":\"example.test.\",\"policies\":[{\"tag\":\"issue\",\"value\":\"other.test; a=b\"}]}");
  CHECK_THAT(site.test(), ContainsSubstring("a.example.test: the CAA record of example.test allows only \"other.test\": add one with issue "
                                            "\"ca.test\", or take another CA\n"));
  site.names->tell("add-caa", "{\"host\":\"a.example.test.\",\"policies\":[{\"tag\":\"issue\",\"value\":\"CA.test\"}]}");
  CHECK_THAT(site.test(), !ContainsSubstring("CAA"));
  site.names->tell("clear-caa", "{\"host\":\"a.example.test.\"}");
  site.names->tell("add-caa", "{\"host\":\"a.example.test.\",\"policies\":[{\"tag\":\"issue\",\"value\":\";\"}]}");
  CHECK_THAT(site.test(), ContainsSubstring("the CAA record of a.example.test allows no CA: add one with issue \"ca.test\""));
}

TEST_CASE("acme test, mistake 6: the CA has had enough") {
  Site site;
  if (!site.names) return;
  site.ca.problem = "{\"type\":\"urn:ietf:params:acme:error:rateLimited\",\"detail\":\"too many certificates\"}";
  Server s(site.config());
  REQUIRE(s.wait_for_log("too many certificates; next try in"));
  CHECK_THAT(Site::test(s), ContainsSubstring("the last try has failed (too many certificates): wait, and do not ask for the same names again "
                                              "meanwhile; a staging CA serves for trying; the next one is in "));
}

TEST_CASE("acme test, mistake 7: the clock is wrong") {
  Site site;
  if (!site.names) return;
  site.ca.date = "Sat, 01 Jan 2000 00:00:00 GMT";
  CHECK_THAT(site.test(), ContainsSubstring("the clock of this machine is wrong by ") &&
                              ContainsSubstring(" s: set it (ntp), certificates begin and end by it\n"));
}

TEST_CASE("acme test, mistake 8: the CA's terms are not accepted, and it wants an account of its customers'") {
  Site site;
  if (!site.names) return;
  site.terms = "";
  site.ca.meta = "\"termsOfService\":\"https://ca.test/terms\",\"externalAccountRequired\":true";
  CHECK_THAT(site.test(), ContainsSubstring("the CA's terms (https://ca.test/terms) are not accepted: say accept_terms_of_service in "
                                            "acme_issuer \"ca\"\n") &&
                              ContainsSubstring("the CA wants an account of its own customers: say external_account_key with what it has given "
                                                "you\n"));
}

TEST_CASE("acme test, mistake 9: the CA cannot be reached, or is not trusted") {
  const std::string tail = " state_path state; accept_terms_of_service; } acme on; server { listen 127.0.0.1:1; listen 127.0.0.1:2 ssl; "
                           "server_name a.example.test; }";
  const auto said = [&](const std::string& uri) {
    const std::string folder = make_folder();
    write_file(folder + "/nginx.conf", "events {}\nhttp { acme_issuer ca { uri " + uri + "; resolver 127.0.0.1:1;" + tail + " }");
    return acme_command(folder, {"test"}).out;
  };
  CHECK_THAT(said("https://127.0.0.1:1/dir"), ContainsSubstring("the CA https://127.0.0.1:1/dir cannot be used (asking ") &&
                                                  ContainsSubstring("): let this machine reach the CA: a firewall, a proxy or the network is in between\n"));
  CHECK_THAT(said("https://127.0.0.1:1/dir"), ContainsSubstring("a.example.test: the DNS does not answer ("));
  const Certificate own = make_certificate({"localhost"});
  Server s("server { listen 127.0.0.1:%%PORT_0%% ssl; ssl_certificate %%DIR%%/a.crt; ssl_certificate_key %%DIR%%/a.key; return 404; }",
           {{"a.crt", own.certificate}, {"a.key", own.key}});
  CHECK_THAT(said(s.tls_url("/dir")), ContainsSubstring("): name who signed for the CA's own TLS in ssl_trusted_certificate, and look at the clock\n"));
}

TEST_CASE("acme test, mistake 10: another server or a proxy answers for the name") {
  const Site site;
  if (!site.names) return;
  Server other("server { listen 127.0.0.1:" + std::to_string(site.ports.http) + "; return 404; }");
  CHECK_THAT(site.test(), ContainsSubstring("a.example.test: another server answers on port " + std::to_string(site.ports.http) +
                                            " (status 404), or a proxy in front of this one keeps /.well-known/acme-challenge/ for itself: "
                                            "hand that path on to here\n"));
}

TEST_CASE("acme test, mistake 11: the hook is no program") {
  Site site;
  if (!site.names) return;
  site.more = "challenge dns-01; hook /etc/passwd;";
  CHECK_THAT(site.test(), ContainsSubstring("the hook \"/etc/passwd\" is no program that can be run: chmod +x, and look at its path\n"));
}

TEST_CASE("acme test, mistake 12: the folder is not there, or what is in it is not the worker's") {
  Site site;
  if (!site.names) return;
  CHECK_THAT(site.test(), ContainsSubstring("/state: the folder is not there yet: the server makes it when it starts\n"));
  if (::geteuid() != 0) return;  // only root gives files away
  Server s(site.config());
  s.file("state/copied.pem", "");
  REQUIRE(::chown((s.folder() + "/state/copied.pem").c_str(), 12345, 12345) == 0);
  CHECK_THAT(Site::test(s), ContainsSubstring("/state/copied.pem: the file is another user's: give it to the user of the workers (chown)\n"));
  const std::string folder = make_folder();
  std::filesystem::create_directory(folder + "/state");
  std::string text = "user nobody nogroup; events {}\nhttp { " + site.config() + " }";
  for (auto at = text.find("%%DIR%%"); at != std::string::npos; at = text.find("%%DIR%%")) text.replace(at, 7, folder);
  write_file(folder + "/nginx.conf", text);
  CHECK_THAT(acme_command(folder, {"test"}).out, ContainsSubstring("/state: the folder cannot be written to: give it to the user of the workers\n"));
}

TEST_CASE("a test of the configuration warns of names that a CA will not find, and does not wait for a DNS that says nothing") {
  const Site site;
  if (!site.names) return;
  site.names->tell("set-default-ipv4", "{\"ip\":\"\"}");
  const Run none = check_config(site.config());
  CHECK(none.exit_code == 0);
  CHECK_THAT(none.err, ContainsSubstring("[warn] no server listens on port 80 without TLS, where CAs look for the answers of http-01"));
  CHECK_THAT(none.err, ContainsSubstring("[warn] the name \"a.example.test\" has no address in the DNS, where CAs look for it"));
  site.names->tell("set-default-ipv4", "{\"ip\":\"127.0.0.1\"}");
  CHECK_THAT(check_config(site.config()).err, !ContainsSubstring("DNS"));
  std::string mute = site.config();
  mute.replace(mute.find(site.names->address()), site.names->address().size(), "127.0.0.1:" + std::to_string(free_port()));
  const Run run = check_config(mute);
  CHECK(run.exit_code == 0);
  CHECK_THAT(run.err, ContainsSubstring("[warn] the DNS does not answer in time, so that it is not known whether CAs find \"a.example.test\""));
}
