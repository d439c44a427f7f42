// The directive redirect_https: page loads over plain HTTP go on over HTTPS (B11 to B13).
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <chrono>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/tls_ask.h"

using namespace test;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string server(const std::string& inside) { return "server { listen 127.0.0.1:%%PORT_0%%; " + inside + " }"; }

Response ask_raw(const Server& s, const std::string& head) {
  RawClient c(s.port());
  c.send(head + "\r\n\r\n");
  return c.read_response(head.starts_with("HEAD"));
}

std::string location_of(const Server& s, const std::string& target, const std::string& host = "site.test") {
  return ask_raw(s, "GET " + target + " HTTP/1.1\r\nHost: " + host).header("Location");
}

}  // namespace

TEST_CASE("redirect_https keeps the target byte for byte, and the host without its port") {
  Server s(server("redirect_https;"));
  CHECK(location_of(s, "/a%2Fb/../c//d?x=%20&y=http://e") == "https://site.test/a%2Fb/../c//d?x=%20&y=http://e");
  CHECK(location_of(s, "/?") == "https://site.test/?");
  CHECK(location_of(s, "/a", "Site.Test:8080") == "https://site.test/a");
  CHECK(location_of(s, "/a", "[::1]:8080") == "https://[::1]/a");
  CHECK(location_of(s, "http://other.test:81/b?c", "site.test") == "https://other.test/b?c");
  CHECK(ask_raw(s, "GET / HTTP/1.1\r\nHost: a b").status == 400);
  CHECK(ask_raw(s, "GET /x HTTP/1.0").header("Location") == "https://127.0.0.1/x");
}

TEST_CASE("a path of a unix socket is no host to be redirected to") {
  Server s("server { listen unix:%%DIR%%/socket; listen 127.0.0.1:%%PORT_0%%; redirect_https; }");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (s.folder() + "/socket").copy(address.sun_path, sizeof address.sun_path - 1);
  seawall::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  REQUIRE(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  RawClient c(std::move(fd));
  c.send("GET /x HTTP/1.0\r\n\r\n");
  CHECK(c.read_response().status == 400);
}

TEST_CASE("redirect_https is a 301 for GET and HEAD, and keeps other methods by a 308") {
  Server s(server("location / { redirect_https; } location /found { redirect_https 302 port=8443; } location /kept { redirect_https 307; }"));
  const std::string host = " HTTP/1.1\r\nHost: a";
  CHECK(ask_raw(s, "GET /" + host).status == 301);
  CHECK(ask_raw(s, "HEAD /" + host).status == 301);
  CHECK(ask_raw(s, "POST /" + host + "\r\nContent-Length: 0").status == 308);
  CHECK(ask_raw(s, "DELETE /" + host).status == 308);
  CHECK(ask_raw(s, "PUT /found" + host + "\r\nContent-Length: 0").status == 307);
  const Response found = ask_raw(s, "GET /found" + host);
  CHECK(found.status == 302);
  CHECK(found.header("Location") == "https://a:8443/found");
  CHECK(ask_raw(s, "GET /kept" + host).status == 307);
}

TEST_CASE("a redirect to HTTPS ends the connection, and a body that was being sent does not reset it") {
  Server s(server("redirect_https;"));
  RawClient c(s.port());
  c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(c.read_response().header("Connection") == "close");
  CHECK(c.expect_close(5s));
  CHECK(!c.was_reset());
  RawClient upload(s.port());
  upload.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + std::string(1000, 'x'));
  CHECK(upload.read_response().status == 308);
  upload.send(std::string(99000, 'x'));
  upload.half_close();
  CHECK(upload.expect_close(5s));
  CHECK(!upload.was_reset());
}

TEST_CASE("a CA's path, an exempt location, error pages and TLS are not redirected") {
  Files files;
  add(files, "tls/a", make_certificate({"localhost"}));
  files.emplace_back("html/.well-known/acme-challenge/token", "answer");
  Server s("ssl_certificate %%DIR%%/tls/a.crt; ssl_certificate_key %%DIR%%/tls/a.key;"
           "server { listen 127.0.0.1:%%PORT_0%%; listen 127.0.0.1:%%PORT_1%% ssl; root %%DIR%%/html; redirect_https;"
           "location = /health { redirect_https off; return 200 well; } location /secure { return 200 secret; }"
           "error_page 400 /400.txt; location = /400.txt { return 400 sorry; } }",
           files);
  CHECK(get(s.url("/.well-known/acme-challenge/token")).body == "answer");
  CHECK(get(s.url("/health")).body == "well");
  CHECK(get(s.url("/secure")).status == 301);
  CHECK(get(s.tls_url("/secure", 1)).body == "secret");
  CHECK(ask_raw(s, "GET / HTTP/1.1\r\nHost: a b").body == "sorry");
}

TEST_CASE("a server that only redirects waits 5 seconds for a head, unless it says otherwise, or there is TLS") {
  Files files;
  add(files, "a", make_certificate({"localhost"}));
  Server s("ssl_certificate %%DIR%%/a.crt; ssl_certificate_key %%DIR%%/a.key;" + server("redirect_https;") +
           "server { listen 127.0.0.1:%%PORT_1%%; redirect_https; client_header_timeout 60s; }"
           "server { listen 127.0.0.1:%%PORT_2%%; redirect_https; location /own { redirect_https off; return 200; } }"
           "server { listen 127.0.0.1:%%PORT_3%%; listen 127.0.0.1:%%PORT_4%% ssl; redirect_https; location / { return 200; } }",
           files);
  RawClient patient(s.port(1)), partly(s.port(2)), secure(s.port(4));
  secure.start_tls();
  const auto from = Clock::now();
  RawClient silent(s.port()), plain(s.port(3));
  CHECK(silent.expect_close(7s));
  CHECK(plain.expect_close(2s));
  CHECK(Clock::now() - from > 4500ms);
  CHECK(!patient.expect_close(0s));
  CHECK(!partly.expect_close(0s));
  CHECK(!secure.expect_close(0s));
}

TEST_CASE("a server that only redirects without TLS waits 5 seconds there for who takes nothing of what is left of it") {
  Files files;
  add(files, "a", make_certificate({"localhost"}));
  files.emplace_back("html/.well-known/acme-challenge/big", std::string(20'000'000, 'x'));
  Server s("ssl_certificate %%DIR%%/a.crt; ssl_certificate_key %%DIR%%/a.key; reset_timedout_connection on; server {"
           "listen 127.0.0.1:%%PORT_0%% sndbuf=8k; listen 127.0.0.1:%%PORT_1%% ssl sndbuf=8k; redirect_https; root %%DIR%%/html; }",
           files);
  const std::string request = "GET /.well-known/acme-challenge/big HTTP/1.1\r\nHost: localhost\r\n\r\n";
  RawClient secure(s.port(1), "127.0.0.1", 4096), stuck(s.port(), "127.0.0.1", 4096);
  secure.start_tls();
  secure.send(request);
  const auto from = Clock::now();
  stuck.send(request);
  pollfd broken[] = {{stuck.fd(), 0, 0}, {secure.fd(), 0, 0}};
  CHECK(::poll(broken, 2, 10'000) == 1);
  CHECK((broken[0].revents & POLLERR) != 0);
  CHECK(Clock::now() - from > 4500ms);
}

TEST_CASE("routes --timeouts shows the bounds of who is only redirected") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; redirect_https; location / { send_timeout 7s; } }");
  const Run routes = run_server({"routes", "--timeouts", "-p", s.folder(), "-c", s.folder() + "/nginx.conf"}, s.folder());
  CHECK_THAT(routes.out, ContainsSubstring("10s (5s without TLS)") && ContainsSubstring("1m (5s without TLS), 256 B/s") &&
                             ContainsSubstring("7s*, 256 B/s"));
}

TEST_CASE("redirect_https comes before what its location says, and behind what its server says") {
  Server s(server("redirect_https; location / { return 200 plain; } if ($arg_stay) { return 200 stayed; }"));
  CHECK(get(s.url("/")).status == 301);
  CHECK(get(s.url("/?stay=1")).body == "stayed");
}

TEST_CASE("redirect_https with another word is refused") {
  CHECK_THAT(check_config(server("redirect_https 303;")).err, ContainsSubstring("invalid parameter \"303\" in"));
  CHECK_THAT(check_config(server("redirect_https port=0;")).err, ContainsSubstring("invalid parameter \"port=0\""));
  CHECK_THAT(check_config(server("redirect_https; redirect_https;")).err, ContainsSubstring("\"redirect_https\" directive is duplicate"));
}
