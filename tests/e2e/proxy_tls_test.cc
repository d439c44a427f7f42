// proxy_pass https://: the server passes requests to another server block of its own that speaks TLS.
#include "catch.h"
#include "e2e/certificate.h"
#include "e2e/curl.h"
#include "e2e/raw_client.h"
#include "e2e/server.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

// A front on PORT_0 that says this, before a TLS server on PORT_1.
std::string front(std::string_view locations, std::string_view back = {}) {
  return "server { listen 127.0.0.1:%%PORT_0%%; " + std::string(locations) + " } server { listen 127.0.0.1:%%PORT_1%% ssl; server_name inner.test;"
         " ssl_certificate %%DIR%%/c.pem; ssl_certificate_key %%DIR%%/k.pem; " + std::string(back) +
         " location / { return 200 \"$ssl_server_name $ssl_session_reused $ssl_client_verify $connection_requests\"; } }";
}

Files files_of(const Certificate& certificate) { return {{"c.pem", certificate.certificate}, {"k.pem", certificate.key}}; }

}  // namespace

TEST_CASE("https to an upstream: its sessions are resumed, its name is said when asked for") {
  Server s(front("location / { proxy_pass https://127.0.0.1:%%PORT_1%%; } location /sni { proxy_pass https://127.0.0.1:%%PORT_1%%; proxy_ssl_server_name on;"
                 " proxy_ssl_name inner.test:1; } location /fresh { proxy_pass https://127.0.0.1:%%PORT_1%%; proxy_ssl_session_reuse off; }"),
           files_of(make_certificate({"inner.test"})));
  CHECK(get(s.url()).body == " . NONE 1");
  CHECK(get(s.url()).body == " r NONE 1");
  CHECK(get(s.url("/sni")).body == "inner.test . NONE 1");
  for (int i = 0; i < 2; ++i) CHECK(get(s.url("/fresh")).body == " . NONE 1");
}

TEST_CASE("connections with TLS are kept by an upstream block") {
  Server s("upstream u { server 127.0.0.1:%%PORT_1%%; } " + front("location / { proxy_pass https://u; }"),
           files_of(make_certificate({"inner.test"})));
  CHECK(get(s.url()).body == " . NONE 1");
  CHECK(get(s.url()).body == " . NONE 2");
}

TEST_CASE("an upstream's certificate is verified: authority and name") {
  const Certificate certificate = make_certificate({"inner.test"});
  Files files = files_of(certificate);
  files.push_back({"other.pem", make_certificate({"inner.test"}).certificate});
  const auto location = [](const char* path, const char* trusted, const char* name) {
    return "location " + std::string(path) + " { proxy_pass https://127.0.0.1:%%PORT_1%%; proxy_ssl_verify on; proxy_ssl_trusted_certificate %%DIR%%/" + trusted +
           "; proxy_ssl_name " + name + "; } ";
  };
  Server s(front(location("/", "c.pem", "inner.test") + location("/name", "c.pem", "else.test") + location("/authority", "other.pem", "inner.test")), files);
  CHECK(get(s.url()).status == 200);
  CHECK(get(s.url("/name")).status == 502);
  CHECK_THAT(s.error_log(), ContainsSubstring("upstream SSL certificate does not match \"else.test\" while SSL handshaking to upstream"));
  CHECK(get(s.url("/authority")).status == 502);
  CHECK_THAT(s.error_log(), ContainsSubstring("upstream SSL certificate verify error: ("));
}

TEST_CASE("our certificate is shown to an upstream that asks for it") {
  Files files = files_of(make_certificate({"inner.test"}));
  const Certificate ours = make_certificate({"front.test"});
  files.push_back({"ours.pem", ours.certificate});
  files.push_back({"ours.key", ours.key});
  Server s(front("location / { proxy_pass https://127.0.0.1:%%PORT_1%%; proxy_ssl_certificate %%DIR%%/ours.pem; proxy_ssl_certificate_key %%DIR%%/ours.key; }"
                 " location /by-name/ { proxy_pass https://127.0.0.1:%%PORT_1%%; proxy_ssl_certificate %%DIR%%/$arg_c.pem; proxy_ssl_certificate_key %%DIR%%/$arg_c.key; }",
                 "ssl_verify_client optional; ssl_client_certificate %%DIR%%/ours.pem;"),
           files);
  CHECK_THAT(get(s.url()).body, ContainsSubstring("SUCCESS"));
  CHECK_THAT(get(s.url("/by-name/?c=ours")).body, ContainsSubstring("SUCCESS"));
  CHECK(get(s.url("/by-name/?c=none")).status == 500);
}

TEST_CASE("proxy_ssl_certificate_cache keeps a pair whose path has variables") {
  Files files = files_of(make_certificate({"inner.test"}));
  const Certificate ours = make_certificate({"front.test"});
  const auto location = [](const char* path, const char* cache) {
    return "location " + std::string(path) + " { proxy_pass https://127.0.0.1:%%PORT_1%%; proxy_ssl_session_reuse off; proxy_ssl_certificate %%DIR%%/$arg_c.pem;"
           " proxy_ssl_certificate_key %%DIR%%/$arg_c.key; proxy_ssl_certificate_cache " + cache + "; } ";
  };
  for (const auto& [name, text] : {std::pair("ours.pem", ours.certificate), std::pair("ours.key", ours.key)}) files.push_back({name, text});
  Server s(front(location("/kept/", "max=2 valid=1h inactive=1h") + location("/", "off"),
                 "ssl_verify_client optional_no_ca;"), files);
  for (const char* path : {"/kept/?c=ours", "/?c=ours"}) CHECK(get(s.url(path)).status == 200);
  s.file("ours.key", "none");
  CHECK(get(s.url("/kept/?c=ours")).status == 200);
  CHECK(get(s.url("/?c=ours")).status == 500);
  CHECK_THAT(check_config("proxy_ssl_certificate_cache valid=1s;").err, ContainsSubstring("\"proxy_ssl_certificate_cache\" must have the \"max\" parameter"));
}

TEST_CASE("proxy_send_proxy_protocol: an upstream hears of the client in front of all else, and a connection is one client's") {
  const std::string version = GENERATE(as<std::string>(), "v1", "v2");
  const auto back = [](const std::string& listen) {
    return " server { " + listen + " ssl_certificate %%DIR%%/c.pem; ssl_certificate_key %%DIR%%/k.pem; "
           "return 200 \"$proxy_protocol_addr $proxy_protocol_port $connection_requests\"; }";
  };
  Server s("upstream plain { server 127.0.0.1:%%PORT_1%%; } upstream tls { server 127.0.0.1:%%PORT_2%%; } proxy_send_proxy_protocol " + version +
               "; server { listen 127.0.0.1:%%PORT_0%%; add_header X-Port $remote_port; location / { proxy_pass http://plain; } "
               "location /tls { proxy_pass https://tls; } }" +
               back("listen 127.0.0.1:%%PORT_1%% proxy_protocol;") + back("listen 127.0.0.1:%%PORT_2%% ssl proxy_protocol;"),
           files_of(make_certificate({"inner.test"})));
  for (const char* path : {"/", "/tls"}) {
    for (int client = 0; client < 2; ++client) {
      RawClient c(s.port());
      for (const char* number : {" 1", " 2"}) {
        c.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n");
        const Response r = c.read_response();
        CHECK(r.body == "127.0.0.1 " + r.header("X-Port") + number);
      }
    }
  }
}

TEST_CASE("https to a port that speaks plain HTTP is 502") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; location / { proxy_pass https://127.0.0.1:%%PORT_1%%; } }"
           " server { listen 127.0.0.1:%%PORT_1%%; client_header_timeout 200ms; }");
  CHECK(get(s.url()).status == 502);
  CHECK_THAT(s.error_log(), ContainsSubstring("while SSL handshaking to upstream"));
}

TEST_CASE("a body of a megabyte and back through TLS") {
  Server s(front("client_max_body_size 2m; location / { proxy_pass https://127.0.0.1:%%PORT_1%%; }",
                 "client_max_body_size 2m; location /echo { proxy_pass http://127.0.0.1:%%PORT_2%%; }") +
           " server { listen 127.0.0.1:%%PORT_2%%; client_max_body_size 2m; client_body_buffer_size 2m; location / { proxy_pass http://127.0.0.1:%%PORT_3%%; } }"
           " server { listen 127.0.0.1:%%PORT_3%%; root %%DIR%%/html; client_max_body_size 2m; location / { error_page 405 =200 $uri; } }",
           [] {
             Files files = files_of(make_certificate({"inner.test"}));
             files.push_back({"html/echo", std::string(1'000'000, 'e')});
             return files;
           }());
  CHECK(get(s.url("/echo")).body == std::string(1'000'000, 'e'));
}
