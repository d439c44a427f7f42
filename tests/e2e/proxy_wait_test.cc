// proxy_wait: requests that wait while no server can be reached.
#include <future>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/server.h"
#include "e2e/timing.h"
#include "e2e/upstream.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

// What stands behind the server is one of its own other servers, which a second one opens when the time has come: on a unix
// socket in the folder.
std::string site(const std::string& inside, const std::string& servers = "server unix:%%DIR%%/b.sock;") {
  return "upstream u { " + servers + " } server { listen 127.0.0.1:%%PORT_0%%; location / { proxy_pass http://u; " + inside + " } }";
}

std::string backend(const Server& s) { return "server { listen unix:" + s.folder() + "/b.sock; return 200 \"$request_method$request_body\"; }"; }

std::future<Response> later(const Server& s, const std::string& method = "GET") {
  return std::async(std::launch::async, [&s, method] {
    Request request;
    request.url = s.url("/");
    request.method = method;
    if (method == "POST") request.body = "body";
    return fetch(request);
  });
}

}  // namespace

TEST_CASE("a request waits until its server is back") {
  const auto servers = GENERATE("server unix:%%DIR%%/b.sock;", "server unix:%%DIR%%/b.sock; server unix:%%DIR%%/none.sock;",
                                "server unix:%%DIR%%/b.sock; server 127.0.0.1:1 backup;");
  Server s(site("proxy_wait 60s;", servers));
  std::vector<std::future<Response>> waiting;
  for (const char* method : {"GET", "POST", "GET"}) waiting.push_back(later(s, method));
  CHECK(s.wait_for_log("\\[warn\\].*no server can be reached, the request waits"));
  Server up(backend(s));
  for (auto& one : waiting) CHECK(one.get().status == 200);
  CHECK(get(s.url("/")).body == "GET");
}

TEST_CASE("a wait ends with its time, and with the failure that there was") {
  Server s(site("proxy_wait 300ms;"));
  const Stopwatch watch(std::chrono::milliseconds(300));
  CHECK(get(s.url("/")).status == 502);
  watch.check();
}

TEST_CASE("only so many requests wait") {
  Server s("access_log %%DIR%%/a.log; " + site("proxy_wait 60s queue=1;"));
  {
    RawClient first(s.port());
    first.send("GET /first HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(s.wait_for_log("the request waits"));
    CHECK(get(s.url("/second")).status == 502);
    CHECK_THAT(s.error_log(), ContainsSubstring("too many requests wait for a server"));
  }
  CHECK(s.wait_for_log("GET /first.* 499 ", "a.log"));  // a client that leaves waits no more
  RawClient next(s.port());
  next.send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(s.wait_for_log("request waits.*GET /next"));
}

TEST_CASE("what may have been done is not done again: a POST that was sent does not wait") {
  Upstream up([](RawClient& c) { c.read_until("\r\n\r\n"); });  // and says nothing
  Server s("server { listen 127.0.0.1:%%PORT_0%%; location / { proxy_pass " + up.url() + "; proxy_wait 60s; } }");
  Request post;
  post.url = s.url("/");
  post.method = "POST";
  post.body = "once";
  CHECK(fetch(post).status == 502);
  CHECK(up.connections() == 1);
}

TEST_CASE("mistakes of proxy_wait are named") {
  const auto [line, message] = GENERATE(table<std::string, std::string>(
      {{"proxy_wait soon;", "invalid value \"soon\" in \"proxy_wait\" directive"},
       {"proxy_wait 1s queue=0;", "invalid parameter \"queue=0\""},
       {"fastcgi_wait 1s depth=3;", "invalid parameter \"depth=3\""}}));
  const Run run = check_config(line);
  CHECK(run.exit_code == 1);
  CHECK_THAT(run.err, ContainsSubstring(message));
}
