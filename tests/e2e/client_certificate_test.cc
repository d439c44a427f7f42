// Client certificates: who is asked for one, what is said of it, and who may not pass.
#include "catch.h"
#include "e2e/curl.h"
#include "e2e/tls_ask.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

namespace {

const std::string kListen = "listen 127.0.0.1:%%PORT_0%% ssl; ssl_certificate %%DIR%%/server.crt; ssl_certificate_key %%DIR%%/server.key; ";
const std::string kVerdict = " location / { return 200 \"$ssl_client_verify|$ssl_client_s_dn\"; } ";

class People {
 public:
  Certificate server = make_certificate({"localhost"}), other = make_certificate({"other CA"});
  Certificate authority = make_certificate({"authority"}), friendly, revoked, expired;
  People() {
    friendly = below({"friend"});
    revoked = below({"revoked"});
    expired = below({"expired"}, -1);
  }
  Certificate below(const std::vector<std::string>& names, int days = 1) const {
    CertificateOptions options;
    options.names = names;
    options.issuer = &authority;
    options.authority = false;
    options.days = days;
    return make_certificate(options);
  }
  Files files() const {
    Files files{{"ca.crt", authority.certificate + authority.certificate}, {"other.crt", other.certificate},
                {"crl.pem", make_crl(authority, {&revoked})}};
    add(files, "server", server);
    return files;
  }
};

std::string server(const std::string& name, const std::string& inside) {
  return "server { " + kListen + "server_name " + name + "; " + inside + kVerdict + " } ";
}

}  // namespace

TEST_CASE("a required client certificate: 496 without, 495 with a stranger's") {
  const People people;
  Server s(server("localhost", "ssl_verify_client on; ssl_client_certificate %%DIR%%/ca.crt;"), people.files());
  for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const TlsOptions plain = only(to("localhost"), version);
    CHECK(ask(s, with(plain, people.friendly), "localhost").body == "SUCCESS|CN=friend");
    const Response none = ask(s, plain, "localhost");
    CHECK(none.status == 400);
    CHECK_THAT(none.body, ContainsSubstring("400 No required SSL certificate was sent"));
    CHECK(none.header("Connection") == "close");
    CHECK_THAT(ask(s, with(plain, people.other), "localhost").body, ContainsSubstring("400 The SSL certificate error"));
    CHECK_THAT(ask(s, with(plain, people.expired), "localhost").body, ContainsSubstring("400 The SSL certificate error"));
  }
  CHECK(s.wait_for_log("client sent no required SSL certificate"));
  CHECK(s.wait_for_log("client SSL certificate verify error: \\(10:certificate has expired\\)"));
}

TEST_CASE("error pages of 495 and 496") {
  const People people;
  Server s(server("localhost", "ssl_verify_client on; ssl_client_certificate %%DIR%%/ca.crt; error_page 495 496 =401 /explain; "
                               "location = /explain { return 401 \"$ssl_client_verify\"; }"), people.files());
  CHECK(ask(s, to("localhost"), "localhost").body == "NONE");
  CHECK_THAT(ask(s, with(to("localhost"), people.other), "localhost").body, StartsWith("FAILED:"));
}

TEST_CASE("an optional client certificate") {
  const People people;
  Server s(server("localhost", "ssl_verify_client optional; ssl_client_certificate %%DIR%%/ca.crt;"), people.files());
  CHECK(ask(s, to("localhost"), "localhost").body == "NONE|");
  CHECK(ask(s, with(to("localhost"), people.friendly), "localhost").body == "SUCCESS|CN=friend");
  CHECK(ask(s, with(to("localhost"), people.other), "localhost").status == 400);
}

TEST_CASE("optional_no_ca lets strangers pass, but not what has expired") {
  const People people;
  Server s(server("localhost", "ssl_verify_client optional_no_ca; ssl_client_certificate %%DIR%%/ca.crt;"), people.files());
  CHECK_THAT(ask(s, with(to("localhost"), people.other), "localhost").body, StartsWith("FAILED:"));
  CHECK(ask(s, with(to("localhost"), people.expired), "localhost").status == 400);
}

TEST_CASE("a revoked client certificate is none") {
  const People people;
  Server s(server("localhost", "ssl_verify_client on; ssl_client_certificate %%DIR%%/ca.crt; ssl_crl %%DIR%%/crl.pem;"), people.files());
  CHECK(ask(s, with(to("localhost"), people.friendly), "localhost").body == "SUCCESS|CN=friend");
  CHECK(ask(s, with(to("localhost"), people.revoked), "localhost").status == 400);
  CHECK(s.wait_for_log("client SSL certificate verify error: \\(23:certificate revoked\\)"));
}

TEST_CASE("the names of ssl_client_certificate are sent, each once, those of ssl_trusted_certificate are not") {
  const People people;
  Server s(server("localhost", "ssl_verify_client optional; ssl_client_certificate %%DIR%%/ca.crt; "
                               "ssl_trusted_certificate %%DIR%%/other.crt;"), people.files());
  RawClient c(s.port());
  c.start_tls(with(to("localhost"), people.other));
  CHECK(ask(c, "localhost").body == "SUCCESS|CN=other CA");
  const STACK_OF(X509_NAME)* const names = SSL_get_client_CA_list(c.tls());
  REQUIRE(sk_X509_NAME_num(names) == 1);
  CHECK(std::string(X509_NAME_oneline(sk_X509_NAME_value(names, 0), std::string(256, ' ').data(), 256)) == "/CN=authority");
}

TEST_CASE("a session of one server does not pass at another that wants to see other certificates") {
  const People people;
  Server s(server("open", "") + server("closed", "ssl_verify_client on; ssl_client_certificate %%DIR%%/ca.crt;"), people.files());
  for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    RawClient first(s.port());
    first.start_tls(only(to("open"), version));
    REQUIRE(ask(first, "open").body == "NONE|");
    TlsOptions again = only(to("closed"), version);
    again.session = first.session();
    RawClient second(s.port());
    second.start_tls(again);
    CHECK(SSL_session_reused(second.tls()) == 0);
    CHECK(ask(second, "closed").status == 400);
  }
}

TEST_CASE("421 where the Host's server verifies clients otherwise than the one of the handshake") {
  const People people;
  const std::string wants_ca = "ssl_verify_client on; ssl_client_certificate %%DIR%%/ca.crt;";
  Server s(server("first", "") + server("open", "") + server("closed", wants_ca) + server("alike", wants_ca) +
               server("elsewhere", "ssl_verify_client on; ssl_client_certificate %%DIR%%/other.crt;"), people.files());
  CHECK(ask(s, to("open"), "closed").status == 421);
  CHECK(ask(s, with(to("closed"), people.friendly), "elsewhere").status == 421);
  CHECK(ask(s, to(""), "closed").status == 421);
  CHECK(ask(s, with(to("closed"), people.friendly), "alike").body == "SUCCESS|CN=friend");
  CHECK(ask(s, with(to("closed"), people.friendly), "open").status == 200);
  CHECK(s.wait_for_log("client attempted to request the server name different from the one that was negotiated"));
}

TEST_CASE("421 where the server that SNI names has the default's certificate and another authority") {
  const People people;
  const std::string on = " ssl_verify_client on; ssl_client_certificate %%DIR%%/";
  Server s("server { " + kListen + "server_name first;" + on + "ca.crt;" + kVerdict + " } "
           "server { listen 127.0.0.1:%%PORT_0%% ssl; server_name lax; ssl_verify_client on;" + kVerdict + " } "
           "server { listen 127.0.0.1:%%PORT_0%% ssl; server_name bare;" + on + "other.crt;" + kVerdict + " } "
           "server { " + kListen + "server_name own;" + on + "other.crt;" + kVerdict + " }", people.files());
  CHECK(ask(s, with(to("bare"), people.friendly), "bare").status == 421);
  CHECK(ask(s, with(to("bare"), people.friendly), "own").status == 421);
  CHECK(ask(s, with(to("bare"), people.friendly), "first").body == "SUCCESS|CN=friend");
  CHECK(ask(s, with(to("own"), people.other), "own").status == 200);
  CHECK(ask(s, with(to("lax"), people.friendly), "lax").body == "SUCCESS|CN=friend");
  CHECK(ask(s, to("lax"), "lax").status == 400);
  CHECK(ask(s, with(to("lax"), people.friendly), "own").status == 421);
}

TEST_CASE("variables of the client's certificate") {
  const People people;
  Server s("server { " + kListen + R"( ssl_verify_client optional_no_ca;
    add_header X-Serial $ssl_client_serial; add_header X-Print $ssl_client_fingerprint; add_header X-Issuer $ssl_client_i_dn;
    add_header X-Legacy "$ssl_client_s_dn_legacy $ssl_client_i_dn_legacy"; add_header X-Days $ssl_client_v_remain;
    add_header X-Time "$ssl_client_v_start|$ssl_client_v_end"; add_header X-Sigalg $ssl_client_sigalg;
    add_header X-Server-Sigalg $ssl_sigalg; add_header X-Sigalgs $ssl_sigalgs; add_header X-Ech "[$ssl_ech_status]";
    location / { return 200 $ssl_client_raw_cert; }
    location /escaped { return 200 $ssl_client_escaped_cert; }
    location /cert { return 200 $ssl_client_cert; } })", people.files());
  RawClient c(s.port());
  c.start_tls(with(to("localhost"), people.friendly));
  const Response r = ask(c, "localhost");
  CHECK(r.body == people.friendly.certificate);
  CHECK_THAT(r.header("X-Serial"), Catch::Matchers::Matches("[0-9A-F]{2,16}"));
  CHECK_THAT(r.header("X-Print"), Catch::Matchers::Matches("[0-9a-f]{40}"));
  CHECK(r.header("X-Issuer") == "CN=authority");
  CHECK(r.header("X-Legacy") == "/CN=friend /CN=authority");
  CHECK_THAT(r.header("X-Time"), Catch::Matchers::Matches("\\w{3} [ 0-9]+ [0-9:]+ [0-9]{4} GMT\\|\\w{3} .* GMT"));
  CHECK((r.header("X-Days") == "0" || r.header("X-Days") == "1"));
  CHECK(r.header("X-Sigalg") == "ecdsa_secp256r1_sha256");
  CHECK(r.header("X-Server-Sigalg") == "ecdsa_secp256r1_sha256");
  CHECK_THAT(r.header("X-Sigalgs"), StartsWith("0x"));
  CHECK(r.header("X-Ech") == "[]");
  CHECK_THAT(ask(c, "localhost", "/escaped").body, StartsWith("-----BEGIN%20CERTIFICATE-----%0AMII"));
  CHECK_THAT(ask(c, "localhost", "/cert").body, ContainsSubstring("-----\n\tMII"));
}

TEST_CASE("what ssl_verify_client needs") {
  const People people;
  CHECK_THAT(check_config(server("a", "ssl_verify_client on;"), people.files()).err,
             ContainsSubstring("no ssl_client_certificate or ssl_trusted_certificate for ssl_verify_client"));
  CHECK_THAT(check_config(server("a", "ssl_verify_client on; ssl_client_certificate %%DIR%%/none.crt;"), people.files()).err,
             ContainsSubstring("cannot load certificate") && ContainsSubstring("none.crt\": BIO_new_file() failed (SSL:"));
  CHECK_THAT(check_config(server("a", "ssl_crl %%DIR%%/ca.crt;"), people.files()).err, ContainsSubstring("PEM_read_bio_X509_CRL() failed"));
}

TEST_CASE("ssl_verify_depth: how many authorities may stand between a client and the one that is trusted") {
  const People people;
  CertificateOptions options;
  options.names = {"between"};
  options.issuer = &people.authority;
  const Certificate between = make_certificate(options);
  options.names = {"far"};
  options.issuer = &between;
  options.authority = false;
  const Certificate far = make_certificate(options);
  Files files = people.files();
  files.emplace_back("between.crt", between.certificate);
  const auto verdict = [&](const std::string& depth, const Certificate& own) {
    Server s(server("localhost", "ssl_verify_client on; ssl_client_certificate %%DIR%%/ca.crt; ssl_trusted_certificate %%DIR%%/between.crt; " + depth), files);
    return ask(s, with(to("localhost"), own), "localhost");
  };
  CHECK(verdict("", far).body == "SUCCESS|CN=far");  // 1
  CHECK_THAT(verdict("ssl_verify_depth 0;", far).body, ContainsSubstring("400 The SSL certificate error"));
  CHECK(verdict("ssl_verify_depth 0;", people.friendly).body == "SUCCESS|CN=friend");
}
