// SCGI and uwsgi, to scripted servers.
#include <algorithm>

#include "catch.h"
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

// The modifiers and params of a uwsgi request.
std::string read_uwsgi(RawClient& c) {
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
  CHECK_THAT(refused("uwsgi_pass suwsgi://127.0.0.1:1;"), ContainsSubstring("is not supported yet"));
  CHECK_THAT(refused("scgi_pass nowhere_at_all;"), ContainsSubstring("no port in upstream \"nowhere_at_all\""));
}
