// Scripts that do what nobody should: waits inside callbacks of C's, threads resumed by hand, several at one socket or body. The server
// must refuse or survive, and says so: a worker that ends by a CHECK leaves an [alert], which ends the test.
#include <future>

#include "catch.h"

#include "e2e/curl.h"
#include "e2e/datagrams.h"
#include "e2e/probe.h"
#include "e2e/upstream.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string server(std::string_view inside, std::string_view outside = "") {
  std::string text(outside);
  text += " server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%; default_type text/plain; ";
  return text.append(inside).append(" }");
}

// A location whose script is `code`.
std::string script(std::string_view code) { return server("location / { content_by_lua_block { " + std::string(code) + " } }"); }

}  // namespace

TEST_CASE("a script's socket whose peer has ended is not closed under who still writes") {
  std::promise<void> seen;
  Upstream up([&](RawClient& c) {
    c.half_close();
    seen.get_future().wait();
    c.read(30'000'001);
  });
  Server s(script(R"(
    local s = ngx.socket.tcp()
    assert(s:connect("127.0.0.1", )" + std::to_string(up.port()) + R"())
    local w = ngx.thread.spawn(function() return s:send(("x"):rep(30000000)) end)
    local r = ngx.thread.spawn(function() return s:receive() end)
    ngx.say(select(3, ngx.thread.wait(r)))
    ngx.flush(true)
    ngx.say(select(2, ngx.thread.wait(w)), " ", s:send("x"), " ", s:close(), " ", select(2, s:close())))"));
  RawClient c(s.port());
  c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  c.read_until("closed\n");
  seen.set_value();
  c.read_until("30000000 1 1 closed\n");
  CHECK(up.failure() == "");
}

TEST_CASE("light threads of a script read a body one behind the other") {
  Server s(script(R"(
    local function read() ngx.req.read_body() return ngx.req.get_body_data() end
    local a, b = ngx.thread.spawn(read), ngx.thread.spawn(read)
    local set = ngx.thread.spawn(function() ngx.req.set_body_data("own") end)
    ngx.log(ngx.ERR, "both wait")
    ngx.say(select(2, ngx.thread.wait(a)))
    ngx.thread.wait(b) ngx.thread.wait(set)
    ngx.say(ngx.req.get_body_data()))"));
  RawClient c(s.port());
  c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
  REQUIRE(s.wait_for_log("both wait"));
  c.send("world");
  CHECK(c.read_response().body == "helloworld\nown\n");
}

TEST_CASE("a script that ends while it reads the body leaves no half of it to a handler") {
  Server s(server(R"(
    location / {
      access_by_lua_block { ngx.thread.spawn(function() ngx.req.read_body() end) ngx.exit(ngx.OK) }
      content_by_lua_block { ngx.req.read_body() ngx.say(ngx.req.get_body_data()) }
    })"));
  RawClient c(s.port());
  c.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
  CHECK(c.read_response().status == 400);
}

TEST_CASE("a light thread outlives who has spawned it") {
  Server s(script(R"(
    ngx.thread.spawn(function()
      ngx.thread.spawn(function() ngx.sleep(0.02) ngx.say("grandchild") end)
      ngx.thread.spawn(function() end)
    end)
    ngx.thread.spawn(function() ngx.sleep(0.01) ngx.say("child") end))"));
  CHECK(get(s.url("/")).body == "child\ngrandchild\n");
}

TEST_CASE("a light thread that is ended while it waits for another is not woken by that") {
  Server s(script(R"(
    local sem = require "ngx.semaphore".new()
    local t = ngx.thread.spawn(function()
      ngx.thread.wait(ngx.thread.spawn(function() ngx.sleep(0.01) sem:post() end))
      ngx.say("never")
    end)
    coroutine.yield()  -- it waits now
    ngx.say(ngx.thread.kill(t))
    ngx.say(sem:wait(30))
    ngx.sleep(0.001)
    ngx.say("alive"))"));
  CHECK(get(s.url("/")).body == "1\ntrue\nalive\n");
}

TEST_CASE("a wait inside a callback of C's fails alone, and leaves nothing behind") {
  Server s(server(R"(
    location /sub { return 200 sub; }
    location / { content_by_lua_block {
      local function inside(f) return (select(2, pcall(string.gsub, "a", "a", f)):match("attempt to yield[^\n]*")) end
      ngx.say("begin")
      local t = ngx.thread.spawn(function() ngx.sleep(0.01) return "t" end)
      local s = ngx.socket.tcp()
      s:connect("127.0.0.1", ngx.var.server_port)
      ngx.say(inside(function() ngx.sleep(0.001) end))
      for _, f in ipairs {
        function() ngx.flush(true) end, function() ngx.thread.wait(t) end, function() ngx.location.capture("/sub") end,
        function() s:receive() end, function() s:send("x") end, function() ngx.thread.spawn(function() ngx.print("spawned ") end) end,
        function() ngx.req.read_body() ngx.sleep(0) end,
        function() coroutine.wrap(function() ngx.sleep(0) end)() end,
      } do assert(inside(f)) end
      ngx.sleep(0.001)
      ngx.say(select(2, ngx.thread.wait(t)), " ", s:send("GET /sub HTTP/1.0\r\n\r\n"), " ", s:receive(), " ", ngx.location.capture("/sub").body)
      ngx.flush(true)
      ngx.exit(200)
    } })"));
  CHECK(get(s.url("/")).body ==
        "begin\nattempt to yield across C-call boundary\nspawned t 21 HTTP/1.1 200 OK sub\n");
}

TEST_CASE("a light thread cannot be resumed by hand") {
  Server s(script(R"(
    local t = ngx.thread.spawn(function() ngx.sleep(0.01) return "done" end)
    ngx.say(select(2, coroutine.resume(t)))
    ngx.say(select(2, coroutine._resume(t)))
    ngx.say(select(2, ngx.thread.wait(t)))
    ngx.say(select(2, coroutine.resume(t)))
    ngx.say(coroutine._wrap(function() ngx.sleep(0.001) return "waited" end)()))"));
  CHECK(get(s.url("/")).body ==
        "cannot resume running coroutine\ncannot resume running coroutine\ndone\ncannot resume dead coroutine\nwaited\n");
}

TEST_CASE("a VM that has used up its memory fails requests, not the worker") {
  Server s(server(R"(
    location /fill { content_by_lua_block {
      local t = {} package.loaded.hoard = t
      for _, size in ipairs { 100000, 1000, 1 } do
        local ok = true
        while ok do ok = pcall(function() t[#t + 1] = ("x"):rep(size) .. #t end) end
      end
      local chain
      pcall(function() while true do chain = { chain } package.loaded.chain = chain end end)
      ngx.say("full")
    } }
    location / { set_by_lua_block $a { return {} } header_filter_by_lua_block { ngx.ctx.a = {} } log_by_lua_block { ngx.ctx.b = {} } return 200 ok; })",
                  "lua_memory_limit 8m;"));
  Curl one_loop;
  Request request;
  request.url = s.url("/fill");
  one_loop.fetch(request);
  request.url = s.url("/");
  for (int i = 0; i < 3; ++i) {
    const int status = one_loop.fetch(request).status;
    CHECK((status == 200 || status == 500));
  }
}

TEST_CASE("a script's datagram socket is nobody else's while it looks for its peer") {
  Datagrams silent;
  Server s(server(R"(
    location / { content_by_lua_block {
      local u = ngx.socket.udp()
      assert(u:setpeername("127.0.0.1", 9))
      local t = ngx.thread.spawn(function() u:setpeername("a.test", 9) end)
      ngx.say(select(2, u:receive()), ", ", select(2, u:send("x")), ", ", select(2, u:setpeername("127.0.0.1", 9)))
      ngx.say(ngx.thread.kill(t))
    } })", "resolver " + silent.where() + ";"));
  CHECK(get(s.url("/")).body == "socket busy, socket busy, socket busy\n1\n");
}

TEST_CASE("ngx.re.find gives a group that is there, and no other") {
  Server s(script(R"lua(
    ngx.say(ngx.re.find("ab", "a(b)", "", nil, 1))
    for _, nth in ipairs { -1, 1.5, 2 } do ngx.say(select(3, ngx.re.find("ab", "a(b)", "", nil, nth))) end
    ngx.say(select(3, ngx.re.find("ab", "a(b)", "d", nil, 1)), " ", (ngx.re.sub("ab", "a(b)", "[$1]", "d"))))lua"));
  CHECK(get(s.url("/")).body == "22\nnth out of bound\nnth out of bound\nnth out of bound\nnth out of bound []\n");
}

TEST_CASE("at the server's end no timer begets another without end") {
  Server s(script(R"(
    local function again(premature) ngx.log(ngx.ERR, "again ", tostring(premature), " ", select(2, ngx.timer.at(0, again))) end
    ngx.say(ngx.timer.at(3600, again)))"));
  CHECK(get(s.url("/")).body == "1\n");
  s.stop();
  CHECK_THAT(s.error_log(), ContainsSubstring("again true process exiting"));
}

TEST_CASE("a failed script of set_by_lua ends the request, whatever stands behind it") {
  Server s(server(R"(
    location / { set_by_lua_block $a { error('no') } return 200 never; }
    location /on { set_by_lua_block $a { error('no') } rewrite ^ /else last; }
    location /else { return 200 never; })"));
  CHECK(get(s.url("/")).status == 500);
  CHECK(get(s.url("/on")).status == 500);
}

TEST_CASE("ngx.exit behind the head breaks the connection where it says so, and complains of no status that is the sent one") {
  Server s(server(R"(
    location /break { content_by_lua_block { ngx.say("part") ngx.flush(true) ngx.exit(444) } }
    location /same { content_by_lua_block { ngx.status = 404 ngx.say("all") ngx.exit(404) } })"));
  RawClient c(s.port());
  c.send("GET /break HTTP/1.1\r\nHost: a\r\n\r\n");
  const std::string all = c.read_all();
  CHECK_THAT(all, ContainsSubstring("part\n"));
  CHECK_THAT(all, !ContainsSubstring("\r\n0\r\n\r\n"));
  CHECK(get(s.url("/same")).body == "all\n");
  CHECK_THAT(s.error_log(), !ContainsSubstring("attempt to set status"));
}

TEST_CASE("a status that is none is refused") {
  Server s(script(R"(
    for _, status in ipairs { 100, -1, 1000, 0/0 } do assert(not pcall(function() ngx.status = status end)) end
    ngx.status = 299
    ngx.exit(100000))"));
  CHECK(get(s.url("/")).status == 500);
  CHECK(s.wait_for_log("invalid status 100000"));
}

TEST_CASE("a script cannot frame the message beside the server") {
  Server s(server(R"(
    location / { content_by_lua_block {
      ngx.header["Transfer-Encoding"] = "gzip" ngx.header["Keep-Alive"] = "timeout=9" ngx.header.connection = "close" ngx.say("a")
    } }
    location /filter { header_filter_by_lua_block { ngx.header["Transfer-Encoding"] = "chunked" ngx.header.connection = "x" } return 200 a; }
    location /away { content_by_lua_block { ngx.header["Transfer-Encoding"] = "chunked" ngx.redirect("/") } })"));
  const Response r = get(s.url("/"));
  CHECK(r.header("Transfer-Encoding") != "gzip");
  CHECK(r.count("Keep-Alive") == 0);
  CHECK(r.header("Connection") == "close");
  for (const char* path : {"/filter", "/away"}) {
    const Response other = get(s.url(path));
    CHECK(other.count("Transfer-Encoding") == 0);
    CHECK(other.count("Connection") == 1);
    CHECK(other.header("Connection") == "keep-alive");
  }
}

TEST_CASE("what came in the clear is not taken for what TLS has protected") {
  Upstream up([](RawClient& c) {
    c.send("go\ninjected\n");
    c.read_all();
  });
  Server s(script(R"(
    local s = ngx.socket.tcp()
    assert(s:connect("127.0.0.1", )" + std::to_string(up.port()) + R"())
    ngx.say(s:receive(), " ", select(2, s:sslhandshake())))"));
  CHECK(get(s.url("/")).body == "go unread data in buffer\n");
}

TEST_CASE("a script's sockets end with it, though somebody still holds them") {
  Upstream up([](RawClient& c) { c.read_all(); });
  Server s(script(R"(
    local s = ngx.socket.tcp()
    assert(s:connect("127.0.0.1", )" + std::to_string(up.port()) + R"())
    ngx.say(package.loaded.kept and select(2, package.loaded.kept:send("x")))
    package.loaded.kept = s)"));
  Curl one_loop;
  Request request;
  request.url = s.url("/");
  CHECK(one_loop.fetch(request).body == "nil\n");
  CHECK(one_loop.fetch(request).body == "closed\n");
}
