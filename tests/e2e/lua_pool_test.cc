// Pools of cosockets that bound how many connections there are: who waits, who is refused, and who comes next.
#include "catch.h"

#include "e2e/curl.h"
#include "e2e/probe.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

// `script` may use connect(options) -> socket or nil, error; `one`: a pool of one connection where one may wait.
std::string with(std::string_view script, std::string_view more = "") {
  std::string text = R"(server { listen 127.0.0.1:%%PORT_0%%; lua_socket_log_errors off;
    location /hello { return 200 hello; }
    location / { content_by_lua_block {
      local port = ngx.var.server_port
      local function connect(options, to)
        local s = ngx.socket.tcp()
        if options and options.timeout then s:settimeouts(options.timeout, 5000, 5000) end
        local ok, err = s:connect("127.0.0.1", to or port, options)
        if not ok then return nil, err end
        return s
      end
      local one = { pool = "one", pool_size = 1, backlog = 1 }
)";
  return text.append(script).append("\n} } ").append(more).append(" }");
}

std::string body_of(std::string_view script) {
  Server s(with(script));
  return get(s.url("/")).body;
}

}  // namespace

TEST_CASE("a pool with a backlog refuses what neither finds a place nor may wait") {
  CHECK(body_of(R"(
    local none = { pool = "none", pool_size = 2, backlog = 0 }
    local a, b = assert(connect(none)), assert(connect(none))
    ngx.say(select(2, connect(none)))
    assert(a:setkeepalive())
    local c = assert(connect(none))
    ngx.say(c:getreusedtimes())
    ngx.say(select(2, connect(none)))
    assert(b:close())
    ngx.say(assert(connect(none)):getreusedtimes()))") ==
        "too many waiting connect operations\n1\ntoo many waiting connect operations\n0\n");
}

TEST_CASE("who waits for a connection gets what another gives back, in turn") {
  CHECK(body_of(R"(
    local held = assert(connect { pool = "one", pool_size = 1, backlog = 2 })
    local function wait(name)
      local s, err = connect(one)
      ngx.say(name, " ", s and s:getreusedtimes() or err)
      if s then assert(s:setkeepalive()) end
    end
    local a, b, c = ngx.thread.spawn(wait, "a"), ngx.thread.spawn(wait, "b"), ngx.thread.spawn(wait, "c")
    ngx.say("given back")
    assert(held:setkeepalive())
    ngx.thread.wait(a) ngx.thread.wait(b) ngx.thread.wait(c))") ==
        "c too many waiting connect operations\ngiven back\na 1\nb 2\n");
}

TEST_CASE("a connection that is closed makes room for one that waits") {
  CHECK(body_of(R"(
    local held = assert(connect(one))
    local waits = ngx.thread.spawn(function() ngx.say("then ", assert(connect(one)):getreusedtimes()) end)
    ngx.say("closed")
    held:close()
    ngx.thread.wait(waits))") == "closed\nthen 0\n");
}

TEST_CASE("what cannot be connected, or is killed while it waits, leaves its place to the next") {
  CHECK(body_of(R"(
    local two = { pool = "two", pool_size = 1, backlog = 2 }
    local held = assert(connect(two))
    local function wait(to) local s, err = connect(two, to) ngx.say(s and "connected" or err) end
    local fails, next = ngx.thread.spawn(wait, 1), ngx.thread.spawn(wait)
    held:close()
    ngx.thread.wait(fails) ngx.thread.wait(next)
    local again = { pool = "again", pool_size = 1, backlog = 1 }
    local holds = assert(connect(again))
    local killed = ngx.thread.spawn(function() connect(again) ngx.say("never") end)
    assert(ngx.thread.kill(killed))
    local after = ngx.thread.spawn(function() assert(connect(again)) ngx.say("after") end)
    holds:close()
    ngx.thread.wait(after))") == "connection refused\nconnected\nafter\n");
}

TEST_CASE("a place in the queue is waited for as long as for a connection") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; lua_socket_connect_timeout 20ms; location / { content_by_lua_block { "
           "local one = { pool = 'one', pool_size = 1, backlog = 1 } "
           "local held = assert(ngx.socket.connect('127.0.0.1', ngx.var.server_port, one)) "
           "ngx.say(select(2, ngx.socket.connect('127.0.0.1', ngx.var.server_port, one))) } } }");
  CHECK(get(s.url("/")).body == "timeout\n");
  CHECK(s.wait_for_log("lua tcp socket queued connect timed out, when trying to connect to 127.0.0.1:" + std::to_string(s.port())));
}

TEST_CASE("places of scripts that end are free again, whatever they held") {
  Server s(with("local s, err = connect { pool = 'one', pool_size = 1, backlog = 0 } ngx.print(s and 'ok' or err)"));
  for (int i = 0; i < 20; ++i) CHECK(get(s.url("/")).body == "ok");
}

TEST_CASE("a backlog that is no number of connections is refused") {
  CHECK_THAT(body_of("ngx.say(select(2, pcall(connect, { backlog = -1 }))) ngx.say(select(2, pcall(connect, { backlog = 'x' })))"),
             ContainsSubstring("'connect' (bad \"backlog\" option value: -1)") && ContainsSubstring("(bad \"backlog\" option value: x)"));
}
