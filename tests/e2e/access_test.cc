// allow, deny and satisfy.
#include "catch.h"
#include "e2e/curl.h"
#include "e2e/probe.h"
#include "e2e/server.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

// One server whose location / answers "in" under these directives.
std::string location(std::string_view inside, std::string_view outside = {}) {
  std::string text("server { listen 127.0.0.1:%%PORT_0%%; listen unix:%%DIR%%/s.sock; ");
  return text.append(outside).append(" location / { ").append(inside).append(" probe_read on; } }");
}

int status(std::string_view inside, std::string_view outside = {}) {
  Server s(with_probe(location(inside, outside)));
  return get(s.url()).status;
}

}  // namespace

TEST_CASE("the first rule that concerns the client decides") {
  CHECK(status("deny all;") == 403);
  CHECK(status("allow 127.0.0.1; deny all;") == 200);
  CHECK(status("deny all; allow 127.0.0.1;") == 403);
  CHECK(status("allow 127.0.0.0/8; deny all;") == 200);
  CHECK(status("deny 127.0.0.0/8;") == 403);
  CHECK(status("deny 192.0.2.0/24; deny ::1;") == 200);
  CHECK(status("allow 192.0.2.1; allow unix:; allow ::/0; deny all;") == 403);
}

TEST_CASE("rules inherit whole or not at all") {
  CHECK(status("", "deny all;") == 403);
  CHECK(status("allow 127.0.0.1;", "deny all;") == 200);
  CHECK(status("allow 192.0.2.1;", "deny all;") == 200);
}

TEST_CASE("a denial is a 403 with its line in the log") {
  Server s(with_probe(location("deny all;", "error_page 403 /denied; location = /denied { return 200 no; }")));
  const Response r = get(s.url("/x"));
  CHECK(r.status == 403);
  CHECK(r.body == "no");
  CHECK(s.wait_for_log("\\[error\\] .*access forbidden by rule, client: 127.0.0.1, server: , request: \"GET /x HTTP/1.1\""));
}

TEST_CASE("unix: concerns clients of unix sockets, all every client") {
  Server s(with_probe(location("allow unix:; deny all;")));
  Request request;
  request.url = "http://a/";
  request.unix_socket = s.folder() + "/s.sock";
  CHECK(fetch(request).status == 200);
  CHECK(get(s.url()).status == 403);
}

TEST_CASE("access rules come after return and before the content") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; location / { deny all; return 200 in; } location /f { deny all; root %%DIR%%; } }");
  CHECK(get(s.url()).status == 200);
  CHECK(get(s.url("/f/missing")).status == 403);
}

TEST_CASE("what is no range is refused, low bits are warned of") {
  CHECK_THAT(check_config(location("allow localhost;")).err, ContainsSubstring("invalid parameter \"localhost\" in "));
  CHECK_THAT(check_config(location("deny 10.0.0.0/33;")).err, ContainsSubstring("invalid parameter \"10.0.0.0/33\" in "));
  const Run run = check_config("server { deny 10.1.1.1/8; }");
  CHECK(run.exit_code == 0);
  CHECK_THAT(run.err, ContainsSubstring("[warn] low address bits of 10.1.1.1/8 are meaningless in "));
  CHECK_THAT(check_config(location("allow;")).err, ContainsSubstring("invalid number of arguments in \"allow\" directive"));
}
