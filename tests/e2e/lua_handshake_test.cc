// Scripts for which a handshake stands still (ssl_client_hello_by_lua, ssl_certificate_by_lua).
#include "catch.h"

#include <openssl/x509.h>

#include <csignal>
#include <memory>
#include <stdexcept>
#include <thread>

#include "e2e/certificate.h"
#include "e2e/curl.h"
#include "e2e/probe.h"
#include "e2e/tls_bytes.h"
#include "e2e/upstream.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string subject(const RawClient& c) {
  char text[256];
  const std::unique_ptr<X509, decltype(&X509_free)> x(SSL_get1_peer_certificate(c.tls()), X509_free);
  return X509_NAME_oneline(X509_get_subject_name(x.get()), text, sizeof text);
}

constexpr const char* kRead = " local function read(name) local f = assert(io.open(ngx.config.prefix() .. name)) local text = f:read('*a') f:close() return text end ";

// A server whose handshakes wait for these scripts.
std::string shaking(std::string_view hook, std::string_view code, std::string_view inside = "") {
  std::string text = "server { listen 127.0.0.1:%%PORT_0%% ssl; ssl_certificate %%DIR%%/default.crt; ssl_certificate_key %%DIR%%/default.key; ";
  text.append(hook).append("_by_lua_block { local ssl = require 'ngx.ssl' local hello = require 'ngx.ssl.clienthello' ").append(kRead);
  return text.append(code).append(" } location / { return 200 ok; } ").append(inside).append(" }");
}
std::string certified(std::string_view code, std::string_view inside = "") { return shaking("ssl_certificate", code, inside); }
std::string greeted(std::string_view code, std::string_view inside = "") { return shaking("ssl_client_hello", code, inside); }

Files pairs() {
  const Certificate other = make_certificate(std::vector<std::string>{"default"}), ours = make_certificate(std::vector<std::string>{"a.test"});
  return {{"default.crt", other.certificate}, {"default.key", other.key}, {"a.crt", ours.certificate}, {"a.key", ours.key}};
}

TlsOptions named(const char* name, int version = 0) {
  TlsOptions options;
  options.server_name = name;
  options.min_version = options.max_version = version;
  return options;
}

}  // namespace

TEST_CASE("a script waits for a server, and gives a connection the certificate of the name that the client wants") {
  Upstream knows([](RawClient& c) {
    c.read_until("\n");
    c.send("a\n");
    c.read_all();
  });
  Server s(certified(R"(
    if ssl.server_name() ~= "a.test" then return end
    local sock = ngx.socket.tcp()
    assert(sock:connect("127.0.0.1", )" + std::to_string(knows.port()) + R"())
    sock:send("a.test\n")
    local pair = sock:receive()
    assert(ssl.clear_certs())
    assert(ssl.set_cert(assert(ssl.parse_pem_cert(read(pair .. ".crt")))))
    assert(ssl.set_priv_key(assert(ssl.parse_pem_priv_key(read(pair .. ".key")))))
    ngx.log(ngx.ERR, "given in ", ngx.get_phase(), " ", ssl.get_tls1_version_str(), " ", ssl.server_port() > 0, " ", ssl.raw_client_addr():byte())
  )"), pairs());
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    RawClient ours(s.port());
    ours.start_tls(named("a.test", version));
    CHECK_THAT(subject(ours), ContainsSubstring("a.test"));
    ours.send("GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
    CHECK(ours.read_response().body == "ok");
    RawClient other(s.port());
    other.start_tls(named("b.test", version));
    CHECK_THAT(subject(other), ContainsSubstring("default"));
  }
  CHECK(s.wait_for_log("given in ssl_cert TLSv1.2 true 127"));
  CHECK(s.wait_for_log("given in ssl_cert TLSv1.3 true 127"));
}

TEST_CASE("a script gives certificates as DER, too, and is told what is wrong with others") {
  Server s(certified(R"(
    ngx.log(ngx.ERR, "bad: ", ssl.parse_pem_cert("x") == nil, ssl.parse_pem_priv_key("x") == nil, ssl.set_der_cert("x") == nil,
      ssl.set_der_cert("") == nil, ssl.set_der_priv_key("") == nil, pcall(ssl.set_cert, newproxy()))
    ssl.clear_certs()
    assert(ssl.set_der_cert(ssl.cert_pem_to_der(read("a.crt"))))
    assert(ssl.set_der_priv_key(ssl.priv_key_pem_to_der(read("a.key"))))
  )"), pairs());
  RawClient c(s.port());
  c.start_tls(named("any.test", TLS1_2_VERSION));
  CHECK_THAT(subject(c), ContainsSubstring("a.test"));
  CHECK(s.wait_for_log("bad: truetruetruetruetruefalse"));
}

TEST_CASE("a script that fails, or says so, ends the handshake, and the client is told") {
  Server s(certified("if ssl.server_name() == 'exit.test' then return ngx.exit(ngx.ERROR) end error('no certificate today')"), pairs());
  for (const char* name : {"exit.test", "fail.test"}) {
    RawClient c(s.port());
    CHECK_THROWS_WITH(c.start_tls(named(name)), ContainsSubstring("alert"));
  }
  CHECK(s.wait_for_log("lua entry thread aborted: runtime error: ssl_certificate_by_lua.*no certificate today"));
  CHECK(s.wait_for_log("SSL_do_handshake\\(\\) failed .*cert cb error"));
}

TEST_CASE("a script that goes on with ngx.exit(ngx.OK) leaves the handshake as it is") {
  Server s(certified("ngx.exit(ngx.OK)"), pairs());
  RawClient c(s.port());
  c.start_tls(named("a.test"));
  CHECK_THAT(subject(c), ContainsSubstring("default"));
}

TEST_CASE("a script that gives no certificate in time ends with the handshake's time") {
  Server s("ssl_handshake_timeout 50ms; " + certified("require 'ngx.semaphore'.new():wait(3600)"), pairs());
  RawClient c(s.port());
  CHECK_THROWS(c.start_tls());
  CHECK(s.wait_for_log("client timed out while SSL handshaking"));
}

TEST_CASE("a client that leaves while a script of its handshake waits is noticed at once") {
  const bool hello = GENERATE(false, true), reset = GENERATE(false, true);
  const std::string code = "ngx.log(ngx.ERR, 'looks') require 'ngx.semaphore'.new():wait(3600)";
  Server s("ssl_handshake_timeout 1h; " + (hello ? greeted(code) : certified(code)), pairs());
  {
    RawClient c(s.port());
    c.send(TlsBytes().handshake(""));
    REQUIRE(s.wait_for_log("looks"));
    if (reset) c.reset();
  }
  CHECK(s.wait_for_log("closed .* while SSL handshaking"));
}

TEST_CASE("a server ends while a script looks for a certificate") {
  Server s(certified("ngx.log(ngx.ERR, 'looks') require 'ngx.semaphore'.new():wait(3600)"), pairs());
  RawClient c(s.port());
  std::thread client([&c] {
    try {
      c.start_tls();
    } catch (const std::exception&) {
    }
  });
  const bool looks = s.wait_for_log("looks");
  s.signal(SIGTERM);
  client.join();
  CHECK(looks);
}

TEST_CASE("each server has its own script for certificates, or that of http") {
  const Files pair = pairs();
  Server s("ssl_certificate %%DIR%%/default.crt; ssl_certificate_key %%DIR%%/default.key; ssl_certificate_by_lua_file http.lua; "
           "server { listen 127.0.0.1:%%PORT_0%% ssl; server_name one.test; location / { return 200 one; } } "
           "server { listen 127.0.0.1:%%PORT_0%% ssl; server_name two.test; ssl_certificate_by_lua_file two.lua; location / { return 200 two; } }",
           {pair[0], pair[1], {"http.lua", "ngx.log(ngx.ERR, 'of http')"}, {"two.lua", "ngx.exit(ngx.ERROR)"}});
  RawClient one(s.port());
  one.start_tls(named("one.test"));
  CHECK(s.wait_for_log("of http"));
  RawClient two(s.port());
  CHECK_THROWS(two.start_tls(named("two.test")));
}

TEST_CASE("a script waits with the client's hello, and reads it") {
  Server s(greeted(R"(
    local name = hello.get_client_hello_server_name()
    local present = hello.get_client_hello_ext_present()
    ngx.sleep(0)
    ngx.log(ngx.ERR, ngx.get_phase(), ": ", name, " ", hello.get_client_hello_ext(0):sub(6), " ", table.concat(hello.get_supported_versions(), ","), " ",
      #present > 3, " ", tostring(hello.get_client_hello_ext(12345)))
  )"), pairs());
  RawClient c(s.port());
  TlsOptions options = named("a.test");
  options.min_version = TLS1_2_VERSION;
  c.start_tls(options);
  CHECK(s.wait_for_log("ssl_client_hello: a.test a.test TLSv1.3,TLSv1.2 true nil"));
}

TEST_CASE("a script says which versions are spoken, whatever the server that the client names says") {
  Server s("ssl_certificate %%DIR%%/default.crt; ssl_certificate_key %%DIR%%/default.key; "
           "server { listen 127.0.0.1:%%PORT_0%% ssl; ssl_client_hello_by_lua_block { "
           "  local hello = require 'ngx.ssl.clienthello' "
           "  if hello.get_client_hello_server_name() == 'old.test' then assert(hello.set_protocols({'TLSv1.2'})) end "
           "  ngx.log(ngx.ERR, (select(2, hello.set_protocols({'TLSv7'})))) } location / { return 200 $ssl_protocol; } } "
           "server { listen 127.0.0.1:%%PORT_0%% ssl; server_name old.test; ssl_protocols TLSv1.3; location / { return 200 $ssl_protocol; } }", pairs());
  for (const auto& [name, version] : {std::pair("old.test", "TLSv1.2"), std::pair("new.test", "TLSv1.3")}) {
    RawClient c(s.port());
    c.start_tls(named(name));
    c.send("GET / HTTP/1.1\r\nHost: " + std::string(name) + "\r\nConnection: close\r\n\r\n");
    CHECK(c.read_response().body == version);
  }
  CHECK(s.wait_for_log("invalid protocols failed"));
}

TEST_CASE("a script refuses a client by its hello") {
  Server s(greeted("if not hello.get_client_hello_server_name() then ngx.exit(ngx.ERROR) end"), pairs());
  RawClient refused(s.port());
  CHECK_THROWS_WITH(refused.start_tls(named("")), ContainsSubstring("alert"));
  RawClient welcome(s.port());
  welcome.start_tls(named("a.test"));
}

TEST_CASE("both scripts of a handshake run, and what belongs to one is refused in the other") {
  Server s(greeted("ngx.log(ngx.ERR, 'first: ', (select(2, pcall(ssl.clear_certs))))",
                   "ssl_certificate_by_lua_block { ngx.log(ngx.ERR, 'then: ', (select(2, pcall(require 'ngx.ssl.clienthello'.get_client_hello_ext, 0)))) }"), pairs());
  RawClient c(s.port());
  c.start_tls(named("a.test"));
  CHECK(s.wait_for_log("first: .*API disabled in the context of ssl_client_hello_by_lua\\*"));
  CHECK(s.wait_for_log("then: .*API disabled in the context of ssl_certificate_by_lua\\*"));
}

TEST_CASE("a session that is resumed asks the scripts again, and comes to the same server") {
  Server s(certified("ngx.sleep(0) ngx.log(ngx.ERR, 'asked')"), pairs());
  RawClient c(s.port());
  c.start_tls(named("a.test", TLS1_3_VERSION));
  c.send("GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n");
  CHECK(c.read_response().body == "ok");
  CHECK(s.wait_for_log("asked"));
}
