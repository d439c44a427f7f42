// seawall tls-check: grades, and what they rest on.
#include "catch.h"
#include "e2e/tls_ask.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

class Site {
 public:
  Certificate authority = make_certificate({"authority"}), leaf;
  explicit Site(const std::string& name = "www.example.org", int days = 90, bool rsa = false) {
    CertificateOptions options;
    options.names = {name};
    options.issuer = &authority;
    options.authority = false;
    options.days = days;
    options.rsa = rsa;
    leaf = make_certificate(options);
  }
};

Run check(const Site& site, const std::string& settings, std::vector<std::string> more = {}) {
  const std::string folder = make_folder();
  write_file(folder + "/ca.crt", site.authority.certificate);
  write_file(folder + "/a.crt", site.leaf.certificate);
  write_file(folder + "/a.key", site.leaf.key);
  write_file(folder + "/nginx.conf", "events {}\nhttp { server { listen 127.0.0.1:8443 ssl; server_name www.example.org; "
                                     "ssl_certificate a.crt; ssl_certificate_key a.key; " + settings + " } }");
  std::vector<std::string> arguments{"tls-check", "-p", folder, "-c", folder + "/nginx.conf", "--ca", folder + "/ca.crt"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_server(arguments, folder);
}

const std::string kHsts = "add_header Strict-Transport-Security \"max-age=31536000; includeSubDomains\" always; ";

}  // namespace

TEST_CASE("the default with a trusted certificate and HSTS is A+") {
  const Run run = check(Site(), kHsts, {"www.example.org"});
  CHECK(run.exit_code == 0);
  CHECK_THAT(run.out, ContainsSubstring("server www.example.org in ") && ContainsSubstring("nginx.conf:2: A+\n"));
  CHECK_THAT(run.out, ContainsSubstring("  versions    TLSv1.2 TLSv1.3\n"));
  CHECK_THAT(run.out, ContainsSubstring("  TLS 1.3     TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256\n"));
  const std::string groups = "  groups      ";
  CHECK_THAT(run.out, ContainsSubstring(groups + "X25519 P-256\n") || ContainsSubstring(groups + "X25519MLKEM768 X25519 P-256\n"));  // since OpenSSL 3.5
  CHECK_THAT(run.out, ContainsSubstring("  certificate CN=www.example.org, ECDSA 256 bits, SHA256, until "));
  CHECK_THAT(run.out, !ContainsSubstring("at most"));
}

TEST_CASE("the directive hsts counts as what it says, in place of add_header") {
  for (const char* said : {"hsts;", "hsts 1y includeSubDomains;", "add_header Strict-Transport-Security max-age=1; hsts 200d;"})
    CHECK_THAT(check(Site(), std::string(said) + "location / { add_header X-Other b; }").out, ContainsSubstring("nginx.conf:2: A+\n"));
  CHECK_THAT(check(Site(), "hsts 1d;").out, ContainsSubstring("at most A: Strict-Transport-Security holds for less than 180 days\n"));
}

TEST_CASE("what keeps a server from A+, and below A fails") {
  const auto expect = [](const Site& site, const std::string& settings, int code, const std::string& reason) {
    const Run run = check(site, settings);
    CHECK(run.exit_code == code);
    CHECK_THAT(run.out, ContainsSubstring("  at most " + reason));
  };
  expect(Site(), "", 0, "A: no Strict-Transport-Security\n");
  expect(Site(), "add_header Strict-Transport-Security max-age=60;", 0, "A: Strict-Transport-Security holds for less than 180 days\n");
  expect(Site(), kHsts + "location / { add_header X-Other b; }", 0, "A: no Strict-Transport-Security\n");
  expect(Site("www.example.org", 5), kHsts, 0, "A: the certificate ends in ");
  expect(Site(), kHsts + "ssl_protocols TLSv1.2;", 1, "A-: TLSv1.3 is not accepted\n");
  expect(Site(), kHsts + "ssl_profile old;", 1, "B: TLSv1 is accepted\n");
  expect(Site("www.example.org", 90, true), kHsts + "ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256:AES128-GCM-SHA256;", 1,
         "B: AES128-GCM-SHA256 has no forward secrecy\n");
  expect(Site("other.example.org"), kHsts, 1, "T: the certificate is not for www.example.org\n");
  expect(Site("www.example.org", -1), kHsts, 1, "T: the certificate is not trusted: certificate has expired\n");
}

TEST_CASE("a server that is not there, and a configuration that cannot be") {
  CHECK(check(Site(), "", {"elsewhere.example.org"}).exit_code == 1);
  CHECK_THAT(check(Site(), "", {"elsewhere.example.org"}).err, ContainsSubstring("no TLS server of the name elsewhere.example.org"));
  CHECK_THAT(check(Site(), "ssl_crl none;").err, ContainsSubstring("[emerg] cannot load CRL"));
}
