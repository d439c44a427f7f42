// Which certificate, suite and group a client gets, and the servers that have none of their own.
#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/pem.h>

#include <cstdio>
#include <cstdlib>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/timing.h"
#include "e2e/tls_ask.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

namespace {

Certificate rsa(const std::string& name, const std::string& password = "") {
  CertificateOptions options;
  options.names = {name};
  options.rsa = true;
  options.password = password;
  return make_certificate(options);
}

std::string subject(RawClient& c) {
  char text[256];
  const std::unique_ptr<X509, decltype(&X509_free)> x(SSL_get1_peer_certificate(c.tls()), X509_free);
  return X509_NAME_oneline(X509_get_subject_name(x.get()), text, sizeof text);
}

std::string subject(const Server& s, const TlsOptions& options) {
  RawClient c(s.port());
  c.start_tls(options);
  return subject(c);
}

std::string cipher(const Server& s, const TlsOptions& options) {
  RawClient c(s.port());
  c.start_tls(options);
  return SSL_get_cipher_name(c.tls());
}

std::string failure(const Server& s, const TlsOptions& options) {
  try {
    RawClient c(s.port());
    c.start_tls(options);
    c.send("GET / HTTP/1.0\r\n\r\n");
    return "answered " + c.read_all();
  } catch (const std::exception& error) {
    return error.what();
  }
}

std::string server(const std::string& inside) { return "server { listen 127.0.0.1:%%PORT_0%% ssl; " + inside + " } "; }
const std::string kPair = "ssl_certificate %%DIR%%/a.crt; ssl_certificate_key %%DIR%%/a.key; ";

}  // namespace

TEST_CASE("an RSA and an ECDSA certificate side by side") {
  Files files;
  add(files, "a", make_certificate({"ec"}));
  add(files, "b", rsa("rsa"));
  Server s(server(kPair + "ssl_certificate %%DIR%%/b.crt; ssl_certificate_key %%DIR%%/b.key;"), files);
  TlsOptions options = to("localhost");
  options.sigalgs = "ECDSA+SHA256";
  CHECK(subject(s, options) == "/CN=ec");
  options.sigalgs = "RSA-PSS+SHA256";
  CHECK(subject(s, options) == "/CN=rsa");
  options = only(to("localhost"), TLS1_2_VERSION);
  options.ciphers = "ECDHE-RSA-AES128-GCM-SHA256";
  CHECK(subject(s, options) == "/CN=rsa");
}

TEST_CASE("a certificate with its chain, and one in the configuration itself") {
  const Certificate root = make_certificate({"root"});
  CertificateOptions options;
  options.names = {"localhost"};
  options.issuer = &root;
  const Certificate leaf = make_certificate(options);
  Server s(server("ssl_certificate %%DIR%%/chain.pem; ssl_certificate_key \"data:" + leaf.key + "\"; location / { return 204; }"),
           {{"chain.pem", leaf.certificate + root.certificate}, {"root.pem", root.certificate}});
  RawClient c(s.port());
  c.start_tls();
  CHECK(sk_X509_num(SSL_get_peer_cert_chain(c.tls())) == 2);
  Request request;
  request.url = s.tls_url();
  request.ca_file = s.folder() + "/root.pem";
  CHECK(fetch(request).status == 204);
}

TEST_CASE("variables in the certificate's path: one for each name, loaded when it is asked for") {
  Files files;
  add(files, "one", make_certificate({"one"}));
  add(files, "two", make_certificate({"two"}));
  Server s(server("ssl_certificate %%DIR%%/$ssl_server_name.crt; ssl_certificate_key %%DIR%%/$ssl_server_name.key;"), files);
  CHECK(subject(s, to("one")) == "/CN=one");
  CHECK(subject(s, to("two")) == "/CN=two");
  CHECK_THAT(failure(s, to("three")), ContainsSubstring("TLS handshake"));
  CHECK(s.wait_for_log("cannot load certificate \".*/three.crt\": BIO_new_file\\(\\) failed \\(SSL: .*while SSL handshaking"));
  const Certificate three = make_certificate({"three"});
  s.file("three.crt", three.certificate);
  s.file("three.key", three.key);
  CHECK(subject(s, to("three")) == "/CN=three");
}

TEST_CASE("encrypted keys") {
  Files files{{"words", "wrong\r\n\nsesame\n"}};
  add(files, "a", rsa("localhost", "sesame"));
  Server s(server(kPair + "ssl_password_file %%DIR%%/words;"), files);
  CHECK(subject(s, to("localhost")) == "/CN=localhost");
  CHECK_THAT(check_config(server(kPair), files).err,
             ContainsSubstring("cannot load certificate key") && ContainsSubstring("PEM_read_bio_PrivateKey() failed"));
}

TEST_CASE("a server without a certificate has the default server's, and where that refuses it needs its own") {
  Files files;
  add(files, "a", make_certificate({"default"}));
  const std::string name = "location / { return 200 $server_name; } ";
  Server s(server("server_name first; " + kPair + name) + server("server_name second; " + name), files);
  CHECK(subject(s, to("second")) == "/CN=default");
  CHECK(ask(s, to("second"), "second").body == "second");
  CHECK_THAT(check_config(server("ssl_reject_handshake on;") + server("server_name second;"), files).err,
             ContainsSubstring("no \"ssl_certificate\" is defined for the \"listen ... ssl\" directive"));
  CHECK_THAT(check_config(server("ssl_certificate %%DIR%%/a.crt;"), files).err,
             ContainsSubstring("no \"ssl_certificate_key\" is defined for certificate \""));
}

TEST_CASE("ssl_reject_handshake refuses by name, and 421 where another name was negotiated") {
  Files files;
  add(files, "a", make_certificate({"localhost"}));
  Server s(server("server_name closed; ssl_reject_handshake on;") + server("server_name open; " + kPair + "location / { return 204; }"), files);
  CHECK_THAT(failure(s, to("closed")), ContainsSubstring("unrecognized name"));
  CHECK_THAT(failure(s, to("")), ContainsSubstring("unrecognized name"));
  CHECK(ask(s, to("open"), "open").status == 204);
  CHECK(ask(s, to("open"), "closed").status == 421);
}

TEST_CASE("a client that has nothing but P-384 is refused for less than 5 ms of our time (B5)") {
  Files files;
  add(files, "a", rsa("localhost"));
  Server s(server(kPair), files);
  const std::string spent = "/proc/" + std::to_string(serving_process(s)) + "/schedstat";  // ns, of the loop's thread
  const auto cpu = [&] { return std::strtoll(read_file(spent).c_str(), nullptr, 10); };
  TlsOptions options = to("localhost");
  options.groups = "P-384";
  constexpr int kTimes = 50;
  const auto before = cpu();
  for (int i = 0; i < kTimes; ++i) CHECK_THAT(failure(s, options), ContainsSubstring("TLS handshake"));
  if (kStrictTimes) CHECK((cpu() - before) / kTimes < 5'000'000);
}

TEST_CASE("each server has its own groups, versions and suites, whoever is the default") {
  Files files;
  add(files, "a", rsa("localhost"));
  Server s(server("server_name first; " + kPair) +
               server("server_name second; " + kPair + "ssl_ecdh_curve P-384; ssl_protocols TLSv1.2; ssl_ciphers ECDHE-RSA-AES256-GCM-SHA384;"),
           files);
  TlsOptions options = to("first");
  options.groups = "P-384";
  CHECK_THAT(failure(s, options), ContainsSubstring("TLS handshake"));
  options.server_name = "second";
  CHECK(cipher(s, options) == "ECDHE-RSA-AES256-GCM-SHA384");
  options.groups = "X25519";
  CHECK_THAT(failure(s, options), ContainsSubstring("TLS handshake"));
  CHECK_THAT(failure(s, only(to("second"), TLS1_3_VERSION)), ContainsSubstring("TLS handshake"));
}

TEST_CASE("ssl_conf_command comes after all other directives") {
  Files files;
  add(files, "a", rsa("localhost"));
  add(files, "b", rsa("override"));
  Server s(server(kPair + "ssl_protocols TLSv1.2; ssl_prefer_server_ciphers on; "
                          "ssl_ciphers ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256; "
                          "ssl_conf_command Options -ServerPreference; ssl_conf_command Certificate %%DIR%%/b.crt; "
                          "ssl_conf_command PrivateKey %%DIR%%/b.key;"), files);
  TlsOptions options = to("localhost");
  options.ciphers = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384";
  CHECK(cipher(s, options) == "ECDHE-RSA-AES128-GCM-SHA256");
  CHECK(subject(s, options) == "/CN=override");
  CHECK_THAT(check_config(server(kPair + "ssl_conf_command Nonsense yes;"), files).err,
             ContainsSubstring("SSL_CONF_cmd(\"Nonsense\", \"yes\") failed"));
}

TEST_CASE("suites without forward secrecy are taken where they are named, with a warning") {
  Files files;
  add(files, "a", rsa("localhost"));
  const std::string text = server(kPair + "ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256:AES128-GCM-SHA256;");
  CHECK_THAT(check_config(text, files).err,
             ContainsSubstring("[warn] \"ssl_ciphers\" allows \"AES128-GCM-SHA256\", which has no forward secrecy"));
  Server s(text, files);
  TlsOptions options = only(to("localhost"), TLS1_2_VERSION);
  options.ciphers = "AES128-GCM-SHA256";
  CHECK(cipher(s, options) == "AES128-GCM-SHA256");
}

TEST_CASE("ssl_profile, and what is written explicitly") {
  Files files;
  add(files, "a", rsa("localhost"));
  const auto versions = [&](const std::string& settings) {
    Server s(server(kPair + settings), files);
    std::string taken;
    for (int version : {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION}) {
      TlsOptions options = only(to("localhost"), version);
      options.ciphers = "ALL:@SECLEVEL=0";
      taken += failure(s, options).starts_with("answered") ? "y" : "n";
    }
    return taken;
  };
  CHECK(versions("") == "nnyy");
  CHECK(versions("ssl_profile intermediate;") == "nnyy");
  CHECK(versions("ssl_profile modern;") == "nnny");
  CHECK(versions("ssl_profile old;") == "yyyy");
  CHECK(versions("ssl_profile modern; ssl_protocols TLSv1.2;") == "nnyn");
}

TEST_CASE("Intermediate is six suites of TLS 1.2 and three of 1.3, in the server's order but for ChaCha20") {
  Files files;
  add(files, "a", make_certificate({"localhost"}));
  add(files, "b", rsa("localhost"));
  Server s(server(kPair + "ssl_certificate %%DIR%%/b.crt; ssl_certificate_key %%DIR%%/b.key;"), files);
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> all(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  SSL_CTX_set_cipher_list(all.get(), "ALL:COMPLEMENTOFALL:@SECLEVEL=0");
  std::string taken;
  for (int i = 0; i < sk_SSL_CIPHER_num(SSL_CTX_get_ciphers(all.get())); ++i) {
    const SSL_CIPHER* const suite = sk_SSL_CIPHER_value(SSL_CTX_get_ciphers(all.get()), i);
    if (std::string(SSL_CIPHER_get_version(suite)) == "TLSv1.3") continue;
    TlsOptions options = only(to("localhost"), TLS1_2_VERSION);
    options.ciphers = SSL_CIPHER_get_name(suite);
    if (failure(s, options).starts_with("answered")) taken += options.ciphers + " ";
  }
  CHECK(taken == "ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-RSA-AES256-GCM-SHA384 ECDHE-ECDSA-CHACHA20-POLY1305 "
                 "ECDHE-RSA-CHACHA20-POLY1305 ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-RSA-AES128-GCM-SHA256 ");
  TlsOptions options = only(to("localhost"), TLS1_2_VERSION);
  options.ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256";
  CHECK(cipher(s, options) == "ECDHE-ECDSA-AES128-GCM-SHA256");
  options.ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256";
  CHECK(cipher(s, options) == "ECDHE-ECDSA-CHACHA20-POLY1305");
}

TEST_CASE("ssl_certificate_cache keeps a pair until it is no longer valid") {
  Files files;
  add(files, "one", make_certificate({"one"}));
  const std::string pair = "ssl_certificate %%DIR%%/$ssl_server_name.crt; ssl_certificate_key %%DIR%%/$ssl_server_name.key; ";
  Server s(server(pair + "ssl_certificate_cache max=2 valid=1h inactive=1h;"), files);
  CHECK(subject(s, to("one")) == "/CN=one");
  const Certificate renewed = make_certificate({"renewed"});
  s.file("one.crt", renewed.certificate);
  s.file("one.key", renewed.key);
  CHECK(subject(s, to("one")) == "/CN=one");
  for (const char* name : {"two", "three"}) {
    s.file(std::string(name) + ".crt", renewed.certificate);
    s.file(std::string(name) + ".key", renewed.key);
    CHECK(subject(s, to(name)) == "/CN=renewed");
  }
  CHECK(subject(s, to("one")) == "/CN=renewed");  // it had to make room
  CHECK_THAT(check_config(server("ssl_certificate_cache valid=1h;"), {}).err,
             ContainsSubstring("\"ssl_certificate_cache\" must have the \"max\" parameter"));
  CHECK_THAT(check_config(server("ssl_certificate_cache max=0;"), {}).err, ContainsSubstring("invalid parameter \"max=0\""));
}

TEST_CASE("ssl_dhparam: suites with DHE are there where it is, and its parameters are used") {
  Files files;
  add(files, "a", rsa("localhost"));
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> maker(EVP_PKEY_CTX_new_from_name(nullptr, "DH", nullptr), EVP_PKEY_CTX_free);
  EVP_PKEY* made = nullptr;
  REQUIRE(EVP_PKEY_keygen_init(maker.get()) == 1);
  char group[] = "ffdhe2048";
  const OSSL_PARAM named[] = {OSSL_PARAM_construct_utf8_string("group", group, 0), OSSL_PARAM_construct_end()};
  REQUIRE(EVP_PKEY_CTX_set_params(maker.get(), named) == 1);
  REQUIRE(EVP_PKEY_generate(maker.get(), &made) == 1);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> parameters(made, EVP_PKEY_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> text(BIO_new(BIO_s_mem()), BIO_free);
  REQUIRE(PEM_write_bio_Parameters(text.get(), parameters.get()) == 1);
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(text.get(), &bytes);
  files.emplace_back("dh.pem", std::string(bytes, static_cast<std::size_t>(size)));
  const std::string suites = kPair + "ssl_protocols TLSv1.2; ssl_ciphers DHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256; ";
  TlsOptions options = to("localhost");
  options.ciphers = "DHE-RSA-AES128-GCM-SHA256";
  CHECK_THAT(failure(Server(server(suites), files), options), ContainsSubstring("TLS handshake"));
  Server s(server(suites + "ssl_dhparam %%DIR%%/dh.pem;"), files);
  RawClient c(s.port());
  c.start_tls(options);
  CHECK(std::string(SSL_get_cipher_name(c.tls())) == "DHE-RSA-AES128-GCM-SHA256");
  EVP_PKEY* peer = nullptr;
  REQUIRE(SSL_get_peer_tmp_key(c.tls(), &peer) == 1);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(peer, EVP_PKEY_free);
  CHECK(EVP_PKEY_get_bits(key.get()) == 2048);
  CHECK_THAT(check_config(server(suites + "ssl_dhparam %%DIR%%/a.crt;"), files).err, ContainsSubstring("[emerg]"));
}

TEST_CASE("$ssl_curve, $ssl_curves and $ssl_session_id") {
  Files files;
  add(files, "a", make_certificate({"localhost"}));
  Server s(server(kPair + "location / { return 200 \"$ssl_curve|$ssl_curves|$ssl_session_id\"; }"), files);
  TlsOptions options = only(to("localhost"), TLS1_2_VERSION);
  options.groups = "P-384:P-256:X25519";
  RawClient c(s.port());
  c.start_tls(options);
  CHECK_THAT(ask(c, "localhost").body, StartsWith("X25519|secp384r1:prime256v1:X25519|"));  // in our order
  options.groups = "P-384:P-256";
  CHECK_THAT(ask(s, options, "localhost").body, StartsWith("prime256v1|secp384r1:prime256v1|"));
  CHECK_THAT(ask(s, to("localhost"), "localhost").body, StartsWith("X25519|") || StartsWith("X25519MLKEM768|"));  // since OpenSSL 3.5
}

TEST_CASE("$ssl_session_id is what the client resumes") {
  Files files;
  add(files, "a", make_certificate({"localhost"}));
  Server s(server(kPair + "ssl_session_tickets off; ssl_session_cache shared:one:1m; location / { return 200 $ssl_session_id; }"), files);
  TlsOptions options = only(to("localhost"), TLS1_2_VERSION);
  RawClient c(s.port());
  c.start_tls(options);
  const std::string id = ask(c, "localhost").body;
  CHECK(id.size() == 64);
  unsigned size = 0;
  const unsigned char* own = SSL_SESSION_get_id(c.session().get(), &size);
  std::string expected;
  char digits[3];
  for (unsigned i = 0; i < size; ++i) {
    std::snprintf(digits, sizeof digits, "%02x", own[i]);
    expected += digits;
  }
  CHECK(id == expected);
  options.session = c.session();
  CHECK(ask(s, options, "localhost").body == id);
}
