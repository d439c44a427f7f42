// Scripts that say which server of a group is asked (balancer_by_lua, ngx.balancer).
#include "catch.h"

#include <future>
#include <stdexcept>

#include "e2e/certificate.h"
#include "e2e/curl.h"
#include "e2e/probe.h"
#include "e2e/upstream.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

// A server whose upstream `u` this script chooses for; the port to choose is in the request.
std::string balanced(std::string_view code, std::string_view location = "", std::string_view upstream = "") {
  std::string text = "upstream u { server 0.0.0.1; balancer_by_lua_block { local b = require 'ngx.balancer' local port = ngx.var.arg_port ";
  text.append(code).append(" } ").append(upstream).append(" } server { listen 127.0.0.1:%%PORT_0%%; location / { proxy_pass http://u; ");
  return text.append(location).append(" } }");
}

std::string to(const Server& s, const Upstream& up) { return s.url("/?port=" + std::to_string(up.port())); }

void answer(RawClient& c) {
  c.read_until("\r\n\r\n");
  c.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  c.read_all();
}

// One connection for any number of requests.
void answer_all(RawClient& c) {
  try {
    for (;;) {
      c.read_until("\r\n\r\n");
      c.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    }
  } catch (const std::runtime_error&) {  // it has ended
  }
}

std::size_t count(const std::string& text, std::string_view what) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(what, at)) != text.npos; ++at) ++found;
  return found;
}

}  // namespace

TEST_CASE("a script says which server is asked, and sees the request") {
  Upstream up(answer);
  Server s(balanced("assert(b.set_current_peer('127.0.0.1', port)) ngx.ctx.chosen = ngx.get_phase()",
                    "log_by_lua_block { ngx.log(ngx.ERR, 'chosen in ', ngx.ctx.chosen, ': ', ngx.var.upstream_addr) }"));
  CHECK(get(to(s, up)).body == "ok");
  CHECK(s.wait_for_log("chosen in balancer: 127.0.0.1:" + std::to_string(up.port())));
}

TEST_CASE("a script is asked again for the next server, and told how the one before has failed") {
  Upstream up(answer);
  Server s(balanced(R"(
    local how, status = b.get_last_failure()
    ngx.log(ngx.ERR, "before: ", tostring(how), " ", tostring(status))
    if how then return b.set_current_peer("127.0.0.1", port) end
    assert(b.set_more_tries(1))
    b.set_current_peer("127.0.0.1", 1)
  )"));
  CHECK(get(to(s, up)).body == "ok");
  CHECK(s.wait_for_log("before: nil nil"));
  CHECK(s.wait_for_log("before: failed 502"));
}

TEST_CASE("a server that has answered with what another may know better has not failed for a script") {
  Upstream knows(answer);
  Upstream lacks([](RawClient& c) {
    c.read_until("\r\n\r\n");
    c.send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    c.read_all();
  });
  Server s(balanced(R"(
    local how, status = b.get_last_failure()
    if how then ngx.log(ngx.ERR, "before: ", how, " ", status) return b.set_current_peer("127.0.0.1", port) end
    b.set_more_tries(1)
    b.set_current_peer("127.0.0.1", ngx.var.arg_first)
  )", "proxy_next_upstream http_404;"));
  CHECK(get(to(s, knows) + "&first=" + std::to_string(lacks.port())).body == "ok");
  CHECK(s.wait_for_log("before: next 404"));
}

TEST_CASE("a script that asks for more tries than there may be is told so") {
  Server s(balanced(R"(
    ngx.log(ngx.ERR, "try, ", tostring(select(2, b.set_more_tries(5))))
    b.set_current_peer("127.0.0.1", 1)
  )", "proxy_next_upstream_tries 2;"));
  CHECK(get(s.url("/")).status == 502);
  CHECK_THAT(s.error_log(), ContainsSubstring("try, reduced tries due to limit"));
  CHECK(count(s.error_log(), "try, ") == 2);
}

TEST_CASE("without set_more_tries one server is asked") {
  Server s(balanced("ngx.log(ngx.ERR, 'try, ') b.set_current_peer('127.0.0.1', 1)"));
  CHECK(get(s.url("/")).status == 502);
  CHECK(count(s.error_log(), "try, ") == 1);
}

TEST_CASE("a script that chooses nobody leaves the choice to the group") {
  Upstream up(answer);
  Server s("upstream u { server 127.0.0.1:" + std::to_string(up.port()) + "; balancer_by_lua_block { ngx.ctx.asked = true } } "
           "server { listen 127.0.0.1:%%PORT_0%%; location / { proxy_pass http://u; add_header Asked $upstream_addr; } }");
  CHECK(get(s.url("/")).body == "ok");
}

TEST_CASE("a script that exits or fails answers, and nobody is asked") {
  Server s(balanced("if ngx.var.arg_exit then return ngx.exit(tonumber(ngx.var.arg_exit)) end error('no')", "proxy_next_upstream off;"));
  CHECK(get(s.url("/?exit=403")).status == 403);
  CHECK(get(s.url("/?exit=-1")).status == 500);
  CHECK(get(s.url("/")).status == 500);
  CHECK(s.wait_for_log("failed to run balancer_by_lua\\*: balancer_by_lua.*no"));
  CHECK(count(s.error_log(), "connect() failed") == 0);
}

TEST_CASE("a script in front of a group may not wait, nor choose what is no address") {
  Server s(balanced("ngx.log(ngx.ERR, select(2, b.set_current_peer('a.test', 80)), ', ', select(2, b.set_current_peer('127.0.0.1', 0/0))) ngx.sleep(1)"));
  CHECK(get(s.url("/")).status == 500);
  CHECK(s.wait_for_log("no host allowed, invalid port"));
  CHECK(s.wait_for_log("API disabled in the context of balancer_by_lua\\*"));
}

TEST_CASE("what chooses a server is of that hook alone, and said once for a group") {
  Server s(R"(server { listen 127.0.0.1:%%PORT_0%%; location / { content_by_lua_block { ngx.say(select(2, pcall(require "ngx.balancer".set_more_tries, 1))) } } })");
  CHECK_THAT(get(s.url("/")).body, ContainsSubstring("API disabled in the context of content_by_lua*"));
  CHECK_THAT(check_config("upstream u { server 127.0.0.1; balancer_by_lua_block { } balancer_by_lua_block { } }").err, ContainsSubstring("\"balancer_by_lua_block\" directive is duplicate"));
}

TEST_CASE("connections to a server that a script has chosen are kept for the next request") {
  Upstream up(answer_all);
  Server s(balanced("b.set_current_peer('127.0.0.1', port) if ngx.var.arg_keep then assert(b.enable_keepalive(60, 2)) end", "", "keepalive 0;"));
  Curl one_loop;
  Request request;
  request.url = to(s, up) + "&keep=1";
  for (int i = 0; i < 4; ++i) CHECK(one_loop.fetch(request).body == "ok");
  CHECK(up.connections() == 2);
  request.url = to(s, up);
  for (int i = 0; i < 2; ++i) CHECK(one_loop.fetch(request).body == "ok");
  CHECK(up.connections() == 4);
}

TEST_CASE("a kept connection that a script has given little time is closed then") {
  std::promise<void> closed;
  Upstream up([&closed](RawClient& c) {
    c.read_until("\r\n\r\n");
    c.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    c.read_all();
    closed.set_value();
  });
  Server s(balanced("b.set_current_peer('127.0.0.1', port) b.enable_keepalive(0.02)", "", "keepalive_timeout 1h;"));
  CHECK(get(to(s, up)).body == "ok");
  CHECK(closed.get_future().wait_for(kPatience) == std::future_status::ready);
}

TEST_CASE("a script bounds how long the servers of its request may take") {
  Upstream silent([](RawClient& c) {
    c.read_until("\r\n\r\n");
    c.read_all();
  });
  Server s(balanced("b.set_current_peer('127.0.0.1', port) assert(b.set_timeouts(nil, nil, 0.05)) ngx.log(ngx.ERR, (select(2, pcall(b.set_timeouts, 0))))",
                    "proxy_read_timeout 1h; proxy_next_upstream off;"));
  CHECK(get(to(s, silent)).status == 504);
  CHECK(s.wait_for_log("invalid connect timeout"));
  CHECK(s.wait_for_log("upstream timed out"));
}

TEST_CASE("what a script changes of the request goes to the server that it chooses") {
  Upstream up([](RawClient& c) {
    const std::string head = c.read_until("\r\n\r\n");
    const std::string body = head.find("\r\nTo: two\r\n") == head.npos ? "no" : "ok";
    c.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + body);
    c.read_all();
  });
  Server s(balanced(R"(
    if b.get_last_failure() then
      ngx.req.set_header("To", "two")
      assert(b.recreate_request())
      return b.set_current_peer("127.0.0.1", port)
    end
    ngx.req.set_header("To", "one")
    b.set_more_tries(1)
    b.set_current_peer("127.0.0.1", 1)
  )"));
  CHECK(get(to(s, up)).body == "ok");
}

TEST_CASE("a script says the name by which TLS knows the server it chooses") {
  const Certificate named = make_certificate(std::vector<std::string>{"a.test"});
  Server s("upstream u { server 0.0.0.1; balancer_by_lua_file b.lua; } "
           "server { listen 127.0.0.1:%%PORT_0%%; location / { proxy_pass https://u; proxy_ssl_server_name on; proxy_ssl_verify on; "
           "proxy_ssl_trusted_certificate %%DIR%%/a.crt; } } "
           "server { listen 127.0.0.1:%%PORT_1%% ssl; ssl_certificate %%DIR%%/a.crt; ssl_certificate_key %%DIR%%/a.key; location / { return 200 $ssl_server_name; } }",
           {{"a.crt", named.certificate}, {"a.key", named.key},
            {"b.lua", "require 'ngx.balancer'.set_current_peer('127.0.0.1', ngx.var.arg_port, ngx.var.arg_name)"}});
  const std::string url = s.url("/?port=" + std::to_string(s.port(1)) + "&name=");
  CHECK(get(url + "a.test").body == "a.test");
  CHECK(get(url + "b.test").status == 502);
}

TEST_CASE("a script chooses the server of a subrequest, too") {
  Upstream up(answer);
  Server s("upstream u { server 0.0.0.1; balancer_by_lua_block { require 'ngx.balancer'.set_current_peer('127.0.0.1', ngx.var.arg_port) } } "
           "server { listen 127.0.0.1:%%PORT_0%%; location /inner { proxy_pass http://u; } location / { content_by_lua_block { "
           "ngx.print(ngx.location.capture('/inner?port=' .. ngx.var.arg_port).body) } } }");
  CHECK(get(to(s, up)).body == "ok");
}
