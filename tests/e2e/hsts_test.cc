// The directive hsts: on every response over TLS, once, and on no other (B14).
#include "catch.h"
#include "e2e/curl.h"
#include "e2e/tls_ask.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr const char* kField = "Strict-Transport-Security";

const Certificate& authority() {
  static const Certificate made = make_certificate({"authority.test"});
  return made;
}

Certificate issued() {
  CertificateOptions options;
  options.names = {"localhost"};
  options.issuer = &authority();
  options.authority = false;
  return make_certificate(options);
}

Files files(const Certificate& own) {
  Files all;
  add(all, "tls/a", own);
  return all;
}

std::string server(const std::string& inside) {
  return "ssl_certificate %%DIR%%/tls/a.crt; ssl_certificate_key %%DIR%%/tls/a.key;"
         "server { listen 127.0.0.1:%%PORT_0%% ssl; listen 127.0.0.1:%%PORT_1%%; " + inside + " }";
}

std::string field(const Server& s, const std::string& path = "/") { return get(s.tls_url(path)).header(kField); }

}  // namespace

TEST_CASE("hsts is on every response over TLS, also where an inner block adds fields, and on none over plain HTTP") {
  Server s(server("hsts; location / { return 200; } location /added { add_header X-A a; return 200; } location /gone { return 404; }"
                  "location /error { return 500; } location /away { return 301 /; } location /off { hsts off; return 200; }"),
           files(issued()));
  for (const char* path : {"/", "/added", "/gone", "/error", "/away"}) {
    INFO(path);
    const Response r = get(s.tls_url(path));
    CHECK(r.header(kField) == "max-age=31536000");
    CHECK(r.count(kField) == 1);
    CHECK(get(s.url(path, 1)).count(kField) == 0);
  }
  CHECK(get(s.tls_url("/off")).count(kField) == 0);
  Request h2;
  h2.url = s.tls_url();
  h2.http2 = true;
  CHECK(fetch(h2).header(kField) == "max-age=31536000");
  RawClient c(s.port());
  c.start_tls();
  c.send("GET / HTTP/1.1\r\nHost: a b\r\n\r\n");
  const Response refused = c.read_response();
  CHECK(refused.status == 400);
  CHECK(refused.header(kField) == "max-age=31536000");
}

TEST_CASE("hsts has a time, subdomains and preload, and inherits") {
  Server s("hsts 2y includeSubDomains preload;" +
               server("location / { return 200; } location /short { hsts 5m; return 200; } location /zero { hsts 0; return 200; }"),
           files(issued()));
  CHECK(field(s) == "max-age=63072000; includeSubDomains; preload");
  CHECK(field(s, "/short") == "max-age=300");
  CHECK(field(s, "/zero") == "max-age=0");
}

TEST_CASE("what a back end and add_header say of Strict-Transport-Security is replaced") {
  Server s("server { listen 127.0.0.1:%%PORT_2%%; add_header Strict-Transport-Security max-age=1; return 200; }" +
               server("hsts 10; add_header Strict-Transport-Security max-age=2 always; location / { return 200; }"
                      "location /proxied { proxy_pass http://127.0.0.1:%%PORT_2%%; }"),
           files(issued()));
  for (const char* path : {"/", "/proxied"}) {
    INFO(path);
    const Response r = get(s.tls_url(path));
    CHECK(r.count(kField) == 1);
    CHECK(r.header(kField) == "max-age=10");
  }
}

TEST_CASE("what may not be said here is not said by a back end or add_header either, over plain HTTP and with a self-signed certificate") {
  const std::string back = "server { listen 127.0.0.1:%%PORT_2%%; add_header Strict-Transport-Security max-age=1; return 200; }";
  const std::string site = "hsts 10; add_header Strict-Transport-Security max-age=2 always; location / { return 200; }"
                           "location /proxied { proxy_pass http://127.0.0.1:%%PORT_2%%; }"
                           "location /off { hsts off; proxy_pass http://127.0.0.1:%%PORT_2%%/; }";
  Server s(back + server(site), files(issued()));
  Server own(back + server(site), files(make_certificate({"localhost"})));
  for (const char* path : {"/", "/proxied"}) {
    INFO(path);
    CHECK(get(s.url(path, 1)).count(kField) == 0);
    CHECK(get(own.tls_url(path)).count(kField) == 0);
  }
  CHECK(get(s.tls_url("/off")).count(kField) == 2);  // nobody has asked us
}

TEST_CASE("hsts that no browser would take is refused") {
  CHECK_THAT(check_config("hsts 1y preload;").err, ContainsSubstring("\"preload\" needs \"includeSubDomains\" and a max-age of a year"));
  CHECK_THAT(check_config("hsts 1d includeSubDomains preload;").err, ContainsSubstring("\"preload\" needs"));
  CHECK_THAT(check_config("hsts soon;").err, ContainsSubstring("invalid parameter \"soon\" in"));
  CHECK_THAT(check_config("hsts 1y 2y;").err, ContainsSubstring("duplicate parameter \"2y\""));
}
