// Whom a proxy_pass names.
#include "seawall/upstream/url.h"

#include "catch.h"

using namespace seawall;

namespace {

UpstreamUrl parse(std::string_view text, std::string expected_error = {}) {
  std::string error;
  UpstreamUrl url = UpstreamUrl::parse(text, 80, error);
  CHECK(error == expected_error);
  return url;
}

}  // namespace

TEST_CASE("hosts, ports and URIs of upstreams") {
  const UpstreamUrl plain = parse("example.com");
  CHECK(plain.host == "example.com");
  CHECK(plain.port == 80);
  CHECK_FALSE(plain.has_port);
  CHECK(plain.host_field(80) == "example.com");
  const UpstreamUrl whole = parse("example.com:8080/a?b");
  CHECK(whole.port == 8080);
  CHECK(whole.uri == "/a?b");
  CHECK(whole.host_field(80) == "example.com:8080");
  const UpstreamUrl v6 = parse("[::1]:81/x");
  CHECK(v6.host == "[::1]");
  CHECK(v6.port == 81);
  CHECK(parse("[::1]").host == "[::1]");
  CHECK(parse("a:80?q").uri == "?q");
}

TEST_CASE("unix sockets as upstreams") {
  const UpstreamUrl url = parse("unix:/run/a.sock:/uri");
  CHECK(url.is_unix);
  CHECK(url.host == "/run/a.sock");
  CHECK(url.uri == "/uri");
  CHECK(url.host_field(80) == "localhost");
  parse("unix:", "no path in the unix domain socket");
  parse("unix:/" + std::string(200, 'x'), "too long path in the unix domain socket");
}

TEST_CASE("what is no address of an upstream") {
  parse("", "no host");
  parse(":80", "no host");
  parse("a:0", "invalid port");
  parse("a:65536", "invalid port");
  parse("a:x", "invalid port");
  parse("[::1", "invalid host");
  parse("[::1]x", "invalid host");
}
