// The test helper tested with the server it starts: whatever else fails, these tell whether the helper can be trusted.
#include "catch.h"
#include "e2e/certificate.h"
#include "e2e/curl.h"
#include "e2e/server.h"
#include "e2e/upstream.h"

using namespace std::chrono_literals;
using namespace test;

namespace {

const char* const kStatic = "server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%/html; }";
const Files kFile = {{"html/a.txt", "hello"}};

const char* const kTls = R"(
  server {
    listen 127.0.0.1:%%PORT_0%% ssl;
    server_name localhost;
    ssl_certificate %%DIR%%/localhost.crt;
    ssl_certificate_key %%DIR%%/localhost.key;
    root %%DIR%%/html;
  }
)";

Files tls_files() {
  const auto made = make_certificate({"localhost", "IP:127.0.0.1"});
  return {{"localhost.crt", made.certificate}, {"localhost.key", made.key}, {"html/a.txt", "hello"}};
}

}  // namespace

TEST_CASE("a server starts, answers and stops") {
  Server s(kStatic, kFile);
  REQUIRE(get(s.url("/a.txt")).body == "hello");
  REQUIRE(get(s.url("/missing")).status == 404);
  REQUIRE(s.wait_for_log("open\\(\\) .*missing.* failed"));
  s.stop();
}

TEST_CASE("one Curl keeps its connection") {
  Server s(kStatic, kFile);
  Curl curl;
  Request request;
  request.url = s.url("/a.txt");
  REQUIRE(curl.fetch(request).body == "hello");
  REQUIRE(curl.new_connections() == 1);
  REQUIRE(curl.fetch(request).body == "hello");
  REQUIRE(curl.new_connections() == 0);
}

TEST_CASE("a raw client reads responses one by one and sees the end") {
  Server s(kStatic, kFile);
  RawClient c(s.port());
  c.send("GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\nHEAD /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const auto first = c.read_response();
  REQUIRE(first.status == 200);
  REQUIRE(first.header("content-length") == "5");
  REQUIRE(first.body == "hello");
  REQUIRE(c.read_response(true).body.empty());
  REQUIRE(c.expect_close(5s));
  REQUIRE_FALSE(c.was_reset());
}

TEST_CASE("a reload takes a new configuration, and refuses a bad one") {
  Server s(kStatic, kFile);
  s.file("html2/a.txt", "world");
  REQUIRE(s.reload("server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%/html2; }"));
  const auto world = [&] { return get(s.url("/a.txt")).body == "world"; };
  REQUIRE(wait_for_change(s.folder(), world, Clock::now() + kPatience));
  REQUIRE_FALSE(s.reload("server { lissten 1; }"));
  REQUIRE(get(s.url("/a.txt")).body == "world");
}

TEST_CASE("option -t tells what is wrong") {
  const auto run = check_config("server { lissten 1; }");
  REQUIRE(run.exit_code == 1);
  REQUIRE_THAT(run.err, Catch::Matchers::ContainsSubstring("unknown directive \"lissten\""));
  REQUIRE(check_config(kStatic).exit_code == 0);
}

TEST_CASE("TLS: curl verifies the certificate, a raw client chooses the version and resumes") {
  Server s(kTls, tls_files());
  Request request;
  request.url = s.tls_url("/a.txt");
  request.ca_file = s.folder() + "/localhost.crt";
  REQUIRE(fetch(request).body == "hello");

  TlsOptions options;
  options.max_version = TLS1_2_VERSION;
  RawClient first(s.port());
  first.start_tls(options);
  REQUIRE(SSL_version(first.tls()) == TLS1_2_VERSION);
  first.send("GET /a.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  REQUIRE(first.read_response().body == "hello");
  REQUIRE(first.expect_close(5s));
  options.session = first.session();
  RawClient second(s.port());
  second.start_tls(options);
  REQUIRE(SSL_session_reused(second.tls()) == 1);
}

TEST_CASE("a scripted upstream plays its bytes") {
  Upstream up([](RawClient& c) {
    c.read_until("\r\n\r\n");
    c.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n");
  });
  REQUIRE(get(up.url()).body == "ok");
  RawClient c(up.port());
  c.send("GET / HTTP/1.1\r\n\r\n");
  REQUIRE(c.read_response().body == "ok");
  REQUIRE(up.connections() == 2);
  REQUIRE(up.failure().empty());
}
