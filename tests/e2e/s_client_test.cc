// openssl s_client, as people use it to look at a server. Skipped where there is none.
#include <cstdio>
#include <cstdlib>

#include "catch.h"
#include "e2e/tls_ask.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

bool has_openssl() {
  if (std::system("openssl version >/dev/null 2>&1") == 0) return true;
  WARN("no openssl program: skipped");
  return false;
}

// What it prints when it sends the file `request` of the server's folder and waits for the end.
std::string s_client(const Server& s, const std::string& options, const std::string& request = "request") {
  const std::string command = "cd " + s.folder() + " && timeout 20 openssl s_client -connect 127.0.0.1:" + std::to_string(s.port()) +
                              " -servername localhost -ign_eof " + options + " < " + request + " 2>&1";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::string out;
  char piece[4096];
  while (const std::size_t n = std::fread(piece, 1, sizeof piece, pipe.get())) out.append(piece, n);
  return out;
}

}  // namespace

TEST_CASE("openssl s_client: a client certificate, a stapled response, resumption and early data") {
  if (!has_openssl()) return;
  const Certificate authority = make_certificate({"authority"});
  CertificateOptions options;
  options.names = {"localhost"};
  options.issuer = &authority;
  options.authority = false;
  const Certificate leaf = make_certificate(options);
  options.names = {"client"};
  const Certificate client = make_certificate(options);
  const std::string request = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  Files files{{"ca.crt", authority.certificate}, {"ocsp.der", make_ocsp_response(authority, leaf)}, {"request", request}, {"nothing", ""}};
  add(files, "a", leaf);
  add(files, "client", client);
  Server s(R"(server { listen 127.0.0.1:%%PORT_0%% ssl; ssl_certificate %%DIR%%/a.crt; ssl_certificate_key %%DIR%%/a.key;
    ssl_verify_client optional; ssl_client_certificate %%DIR%%/ca.crt; ssl_stapling on; ssl_stapling_file %%DIR%%/ocsp.der;
    ssl_early_data on; location / { return 200 "[$ssl_client_verify $ssl_session_reused $ssl_early_data]\n"; } })", files);

  const std::string first = s_client(s, "-CAfile ca.crt -cert client.crt -key client.key -status");
  CHECK_THAT(first, ContainsSubstring("OCSP Response Status: successful"));
  CHECK_THAT(first, ContainsSubstring("Verify return code: 0 (ok)"));
  const std::string names = "Acceptable client certificate CA names\n";
  CHECK_THAT(first, ContainsSubstring(names + "CN = authority") || ContainsSubstring(names + "CN=authority"));  // before and since OpenSSL 3.2
  CHECK_THAT(first, ContainsSubstring("[SUCCESS . ]"));

  CHECK_THAT(s_client(s, "-CAfile ca.crt -sess_out session.pem"), ContainsSubstring("[NONE . ]"));
  const std::string early = s_client(s, "-CAfile ca.crt -sess_in session.pem -early_data request", "nothing");
  CHECK_THAT(early, ContainsSubstring("Early data was accepted"));
  CHECK_THAT(early, ContainsSubstring("[NONE r 1]"));
  CHECK_THAT(s_client(s, "-CAfile ca.crt -tls1_2 -sess_out session.pem"), ContainsSubstring("[NONE . ]"));
  CHECK_THAT(s_client(s, "-CAfile ca.crt -tls1_2 -sess_in session.pem"), ContainsSubstring("[NONE r ]"));
}
