// SCGI and uwsgi, to scripted servers.
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <csignal>

#include "catch.h"
#include "e2e/certificate.h"
#include "e2e/curl.h"
#include "e2e/server.h"
#include "e2e/upstream.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string pass_to(const std::string& protocol, const Upstream& up, const std::string& more = {}) {
  return "server { listen 127.0.0.1:%%PORT_0%%; location / { " + protocol + "_pass 127.0.0.1:" + std::to_string(up.port()) + "; " + more + " } }";
}

Response raw(const Server& s, const std::string& request) {
  RawClient c(s.port());
  c.send(request);
  return c.read_response();
}

// The netstring of an SCGI request, NULs shown as '|', and the body it announces.
std::string read_scgi(RawClient& c) {
  std::string size = c.read_until(":");
  std::string text = c.read(std::stoul(size));
  c.read(1);
  const std::size_t length = std::stoul(text.substr(std::string("CONTENT_LENGTH").size() + 1));
  std::replace(text.begin(), text.end(), '\0', '|');
  return text + (length ? c.read(length) : std::string());
}

std::size_t size_at(const std::string& text, std::size_t at) {
  return static_cast<unsigned char>(text[at]) | static_cast<std::size_t>(static_cast<unsigned char>(text[at + 1])) << 8;
}

// The server's side of TLS on an accepted connection.
class TlsPeer {
 public:
  TlsPeer(RawClient& c, const Certificate& certificate) : context_(SSL_CTX_new(TLS_server_method()), SSL_CTX_free), ssl_(nullptr, SSL_free) {
    const auto text = [](const std::string& pem) { return std::unique_ptr<BIO, decltype(&BIO_free)>(BIO_new_mem_buf(pem.data(), int(pem.size())), BIO_free); };
    const std::unique_ptr<X509, decltype(&X509_free)> x509(PEM_read_bio_X509(text(certificate.certificate).get(), nullptr, nullptr, nullptr), X509_free);
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(PEM_read_bio_PrivateKey(text(certificate.key).get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
    std::signal(SIGPIPE, SIG_IGN);  // who does not trust us has gone before we answer
    SSL_CTX_use_certificate(context_.get(), x509.get());
    SSL_CTX_use_PrivateKey(context_.get(), key.get());
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), c.fd());
    if (SSL_accept(ssl_.get()) != 1) throw std::runtime_error("no handshake");
  }
  std::string read(std::size_t size) {
    std::string bytes(size, '\0');
    for (std::size_t at = 0, n = 0; at < size; at += n)
      if (SSL_read_ex(ssl_.get(), bytes.data() + at, size - at, &n) != 1) throw std::runtime_error("ended");
    return bytes;
  }
  void send(const std::string& bytes) { SSL_write(ssl_.get(), bytes.data(), int(bytes.size())); }
  std::string server_name() const { return SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name); }
  void end() { SSL_shutdown(ssl_.get()); }

 private:
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
};

// The modifiers and params of a uwsgi request.
template <class Peer>
std::string read_uwsgi(Peer& c) {
  const std::string head = c.read(4);
  std::string vars = c.read(size_at(head, 1)), shown = std::to_string(head[0]) + " " + std::to_string(head[3]) + "\n";
  for (std::size_t at = 0; at < vars.size();) {
    const std::size_t name = size_at(vars, at), value = size_at(vars, at + 2 + name);
    shown += vars.substr(at + 2, name) + "=" + vars.substr(at + 4 + name, value) + "\n";
    at += 4 + name + value;
  }
  return shown;
}

}  // namespace

TEST_CASE("an SCGI server gets its netstring, the length first, and the body behind it") {
  Upstream up([](RawClient& c) { c.send("Status: 202 Fine\r\n\r\n" + read_scgi(c)); });
  Server s(pass_to("scgi", up, "scgi_param SCGI 1; scgi_param CONTENT_LENGTH $content_length; scgi_param URI $request_uri;"));
  const Response r = raw(s, "POST /a?b HTTP/1.1\r\nHost: site.test\r\nX-One: 1\r\nContent-Length: 4\r\n\r\nbody");
  CHECK(r.status == 202);
  CHECK_THAT(r.body, Catch::Matchers::StartsWith("CONTENT_LENGTH|4|SCGI|1|URI|/a?b|HTTP_HOST|site.test|"));
  CHECK_THAT(r.body, ContainsSubstring("HTTP_X_ONE|1|") && Catch::Matchers::EndsWith("body"));
  CHECK_THAT(raw(s, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").body, Catch::Matchers::StartsWith("CONTENT_LENGTH|0|SCGI|1|"));
  CHECK_THAT(raw(s, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n").body,
             Catch::Matchers::StartsWith("CONTENT_LENGTH|3|") && Catch::Matchers::EndsWith("abc"));
}

TEST_CASE("a uwsgi server gets modifiers and params, and may answer with a status line") {
  Upstream up([](RawClient& c) { c.send("HTTP/1.1 203 Sure\r\nX-A: b\r\n\r\n" + read_uwsgi(c)); });
  Server s(pass_to("uwsgi", up, "uwsgi_modifier1 5; uwsgi_modifier2 9; uwsgi_param A $uri; uwsgi_param B $arg_none if_not_empty;"));
  const Response r = get(s.url("/x"), {"X-One: 1"});
  CHECK(r.status == 203);
  CHECK(r.header("X-A") == "b");
  CHECK_THAT(r.body, Catch::Matchers::StartsWith("5 9\nA=/x\n") && ContainsSubstring("HTTP_X_ONE=1\n") && !ContainsSubstring("B="));
}

TEST_CASE("suwsgi: a uwsgi server over TLS, named and verified, by an address or a variable") {
  const Certificate certificate = make_certificate({"app.test"});
  Upstream up([&](RawClient& c) {
    TlsPeer peer(c, certificate);
    const std::string params = read_uwsgi(peer);
    peer.send("Status: 200 OK\r\nX-Name: " + peer.server_name() + "\r\n\r\n" + params);
    peer.end();
  });
  const std::string port = std::to_string(up.port());
  Server s("add_header X-From $upstream_addr; uwsgi_ssl_server_name on; uwsgi_ssl_verify on; uwsgi_ssl_trusted_certificate %%DIR%%/c.pem; uwsgi_ssl_name app.test; "
           "server { listen 127.0.0.1:%%PORT_0%%; uwsgi_param A $uri; location / { uwsgi_pass suwsgi://127.0.0.1:" + port + "; } "
           "location /by { uwsgi_pass suwsgi://$arg_host:" + port + "; } location /else { uwsgi_ssl_name else.test; uwsgi_pass suwsgi://127.0.0.1:" + port + "; } }",
           {{"c.pem", certificate.certificate}});
  for (const char* path : {"/", "/by?host=127.0.0.1"}) {
    const Response r = get(s.url(path));
    CHECK(r.status == 200);
    CHECK(r.header("X-Name") == "app.test");
    CHECK_THAT(r.body, ContainsSubstring("A=/"));
  }
  CHECK(get(s.url("/else")).status == 502);
  CHECK_THAT(s.error_log(), ContainsSubstring("upstream SSL certificate does not match \"else.test\" while SSL handshaking to upstream") &&
                                ContainsSubstring("upstream: \"suwsgi://127.0.0.1:" + port));
}

TEST_CASE("a uwsgi request that the protocol has no room for is a 500") {
  Upstream up([](RawClient& c) { c.read_all(); });
  Server s("large_client_header_buffers 20 32k; " + pass_to("uwsgi", up));
  std::string request = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 5; ++i) request += "X-" + std::to_string(i) + ": " + std::string(20'000, 'x') + "\r\n";
  CHECK(raw(s, request + "\r\n").status == 500);
  CHECK(s.wait_for_log("uwsgi request is too big"));
  s.allow("uwsgi request is too big");
}

TEST_CASE("a response of an SCGI server that is shorter than it says is broken off") {
  Upstream up([](RawClient& c) {
    read_scgi(c);
    c.send("Content-Length: 10\r\n\r\nhalf");
  });
  Server s(pass_to("scgi", up));
  RawClient c(s.port());
  c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK_THAT(c.read_all(), ContainsSubstring("Content-Length: 10\r\n") && Catch::Matchers::EndsWith("half"));
  CHECK(s.wait_for_log("upstream prematurely closed connection"));
}

TEST_CASE("uwsgi and SCGI directives are refused in nginx's words") {
  const auto refused = [](const std::string& inside) {
    return check_config("server { listen 127.0.0.1:%%PORT_0%%; location / { " + inside + " } }").err;
  };
  CHECK_THAT(refused("uwsgi_modifier1 256;"), ContainsSubstring("value must be between 0 and 255"));
  CHECK_THAT(refused("uwsgi_ssl_verify on; uwsgi_pass suwsgi://127.0.0.1:1;"),
             ContainsSubstring("no uwsgi_ssl_trusted_certificate for uwsgi_ssl_verify"));
  CHECK_THAT(refused("scgi_pass nowhere_at_all;"), ContainsSubstring("no port in upstream \"nowhere_at_all\""));
}
