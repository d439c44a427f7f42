// explain_token: a running server says why, to who knows the token.
#include "catch.h"
#include "e2e/curl.h"
#include "e2e/server.h"
#include "e2e/upstream.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

const std::string kToken = "0123456789abcdef-secret";
const std::string kField = "X-Seawall-Explain: " + kToken;

const std::string kSites = R"(
explain_token 0123456789abcdef-secret;
log_format line '$status $request_uri';
access_log %%DIR%%/access.log line;
server {
  listen 127.0.0.1:%%PORT_0%%; http2 on; server_name a.test; root %%DIR%%/html; add_header X-Server a;
  set_real_ip_from 127.0.0.1; real_ip_header X-Client;
  location /private { deny 192.0.2.0/24; }
  location /back { proxy_pass http://127.0.0.1:%%PORT_1%%; }
  location /gone { return 444; }
}
server { listen 127.0.0.1:%%PORT_0%%; server_name b.test; explain_token off; location / { return 200 b; } }
server { listen 127.0.0.1:%%PORT_0%%; server_name c.test; explain_token another-token-of-c; location / { return 200 "c $http_x_seawall_explain"; } }
)";

const Files kFiles{{"html/file.txt", "content"}, {"html/private/x", "private"}};

Response ask(const Server& s, const std::string& path, std::vector<std::string> headers = {kField}, bool http2 = false) {
  Request request;
  request.url = s.url(path);
  request.headers = std::move(headers);
  request.headers.push_back("Host: a.test");
  request.http2 = http2;
  return fetch(request);
}

}  // namespace

TEST_CASE("a running server explains one request to who has the token, as seawall explain does") {
  Server s(kSites, kFiles);
  for (const bool http2 : {false, true}) {
    const Response r = ask(s, "/file.txt?x=y", {kField}, http2);
    CHECK(r.status == 200);
    CHECK(r.header("content-type") == "text/plain; charset=utf-8");
    CHECK(r.header("cache-control") == "no-store");
    CHECK(r.count("x-server") == 0);
    CHECK_THAT(r.body, ContainsSubstring("GET /file.txt?x=y HTTP/") && ContainsSubstring("\nlisten 127.0.0.1:" + std::to_string(s.port()) + "\n"));
    CHECK_THAT(r.body, ContainsSubstring("server \"a.test\" in ") && ContainsSubstring("file: " + s.folder() + "/html/file.txt\n"));
    CHECK_THAT(r.body, ContainsSubstring("HTTP/1.1 200 OK\r\n") && ContainsSubstring("\r\nContent-Length: 7\r\n") && ContainsSubstring("X-Server: a"));
    CHECK_THAT(r.body, ContainsSubstring("in force:\n") && ContainsSubstring("  add_header X-Server a; in "));
  }
  CHECK_THAT(ask(s, "/gone").body, ContainsSubstring("rewrite: rewrite closes the connection\n") && ContainsSubstring("no response"));
  CHECK(s.wait_for_log("^200 /gone$", "access.log"));  // it is logged as the request it was
}

TEST_CASE("the token is the server's, and without it nothing is different") {
  Server s(kSites, kFiles);
  CHECK(ask(s, "/file.txt", {}).body == "content");
  for (const char* wrong : {"", "0123456789abcdef-secre", "0123456789abcdef-secret2", "off", "another-token-of-c"})
    CHECK(ask(s, "/file.txt", {std::string("X-Seawall-Explain: ") + wrong}).body == "content");
  const auto of = [&](const std::string& host, const std::string& token) {
    return get(s.url("/"), {"Host: " + host, "X-Seawall-Explain: " + token}).body;
  };
  CHECK(of("b.test", kToken) == "b");
  CHECK(of("b.test", "off") == "b");
  CHECK(of("c.test", kToken) == "c " + kToken);
  CHECK_THAT(of("c.test", "another-token-of-c"), ContainsSubstring("server \"c.test\" in "));
}

TEST_CASE("what is explained live is the client's own request, and no upstream hears of it") {
  Upstream upstream([](RawClient&) {});
  std::string sites = kSites;
  sites.replace(sites.find("%%PORT_1%%"), 10, std::to_string(upstream.port()));
  Server s(sites, kFiles);
  CHECK_THAT(ask(s, "/private/x", {kField, "X-Client: 192.0.2.9"}).body, ContainsSubstring("access: access answers 403\n"));
  CHECK(ask(s, "/private/x", {"X-Client: 198.51.100.1"}).body == "private");
  // The same connection goes on, and is its own again.
  Curl curl;
  Request request;
  request.url = s.url("/back");
  request.headers = {"Host: a.test", kField};
  CHECK_THAT(curl.fetch(request).body, ContainsSubstring("content: proxy would answer; it is not asked\n"));
  request.url = s.url("/file.txt");
  request.headers.pop_back();
  CHECK(curl.fetch(request).body == "content");
  CHECK(curl.new_connections() == 0);
  CHECK(upstream.connections() == 0);
}

TEST_CASE("a token too short to be a secret is refused") {
  const auto refused = [](const std::string& token) { return check_config("server { listen 127.0.0.1:%%PORT_0%%; explain_token " + token + "; }").err; };
  CHECK_THAT(refused("short"), ContainsSubstring("\"explain_token\" must be at least 16 printable characters, without spaces in "));
  CHECK_THAT(refused("\"a token with spaces in it\""), ContainsSubstring("without spaces"));
}
