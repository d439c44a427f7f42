// What a script keeps for longer than it lasts, and what the collector does meanwhile: an error of Lua's, never a touch of what is gone.
// The sanitizer build is who sees the difference.
#include "catch.h"

#include "e2e/curl.h"
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

// Asks the kept socket for everything, and says how that ends.
const std::string kUse = R"(
    location /use { content_by_lua_block {
      local s = package.loaded.kept
      for _, f in ipairs { function() return s:receive(1) end, function() return s:receiveany(9) end, function() return s:receiveuntil("x")() end,
                           function() return s:send("x") end, function() return s:close() end, function() return s:setoption("keepalive", true) end,
                           function() return s:getreusedtimes() end, function() return s:settimeout(5) end, function() return s:setkeepalive() end } do
        local ok, value, why = pcall(f)
        ngx.print((tostring(ok and why or value):gsub("^.*: ", "")), ",")
      end
    } })";

}  // namespace

TEST_CASE("the body of a request as a socket is closed for whoever has kept it") {
  Server s(server(R"(
    location /keep { content_by_lua_block {
      local body = assert(ngx.req.socket())
      package.loaded.kept = setmetatable({ body[1] }, getmetatable(ngx.socket.tcp()))
      ngx.say(body:receive(1))
    } })" + kUse));
  Request post;
  post.url = s.url("/keep");
  post.method = "POST";
  post.body = "abc";
  CHECK(fetch(post).body == "a\n");
  CHECK(get(s.url("/use")).body == "closed,closed,closed,closed,attempt to close a request socket,closed,closed,nil,closed,");
}

TEST_CASE("the body of a request as a socket is nobody else's") {
  Server s(server(R"(
    location /keep { content_by_lua_block {
      local body = assert(ngx.req.socket())
      package.loaded.kept = setmetatable({ body[1] }, getmetatable(ngx.socket.tcp()))
      ngx.timer.at(0, function() ngx.log(ngx.ERR, "timer: ", select(2, pcall(body.receive, body, 1))) end)
      ngx.say(body:receive(3))
    } })" + kUse));
  RawClient c(s.port());
  c.send("POST /keep HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n");
  REQUIRE(s.wait_for_log("timer: .*bad request"));
  CHECK(get(s.url("/use")).body ==
        "bad request,bad request,bad request,bad request,bad request,bad request,bad request,bad request,bad request,");
  c.send("abc");
  CHECK(c.read_response().body == "abc\n");
}

TEST_CASE("the connection behind a 101 is its script's alone, and gone with it") {
  Server s(server(R"(
    location /keep { content_by_lua_block {
      ngx.status = 101
      ngx.header.upgrade = "echo"
      ngx.send_headers()
      ngx.flush(true)
      local raw = assert(ngx.req.socket(true))
      package.loaded.kept = setmetatable({ raw[1] }, getmetatable(ngx.socket.tcp()))
      ngx.log(ngx.ERR, "kept")
      raw:send(raw:receive("*l") .. "\n")
    } log_by_lua_block { ngx.log(ngx.ERR, "logged ", select(2, pcall(function() return package.loaded.kept:setoption("keepalive", true) end))) } })" + kUse));
  RawClient c(s.port());
  c.send("GET /keep HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
  CHECK(c.read_until("\r\n\r\n").starts_with("HTTP/1.1 101 "));
  REQUIRE(s.wait_for_log("kept"));
  CHECK(get(s.url("/use")).body ==
        "bad request,bad request,bad request,bad request,bad request,bad request,bad request,bad request,bad request,");
  c.send("hello\n");
  CHECK(c.read_until("\n") == "hello\n");
  REQUIRE(s.wait_for_log("logged nil"));
  CHECK(get(s.url("/use")).body == "closed,closed,closed,closed,attempt to close a request socket,closed,closed,nil,closed,");
}

TEST_CASE("a script's connection is nobody else's while it lasts, and may be anybody's afterwards") {
  Upstream up([](RawClient& c) {
    c.send("a\n");
    c.read_until("\n");
    c.send("b\n");
    c.read_all();
  });
  const std::string connect = "s:connect(\"127.0.0.1\", " + std::to_string(up.port()) + ")";
  Server s(server(R"(
    location /keep { content_by_lua_block {
      local s = ngx.socket.tcp()
      assert()" + connect + R"()
      package.loaded.kept = s
      ngx.log(ngx.ERR, "kept ", s:receive())
      ngx.req.read_body()
      s:send("go\n")
      ngx.say(s:receive())
    } }
    location /again { content_by_lua_block {
      local s = package.loaded.kept
      s:settimeout(10000)
      ngx.say(pcall(function() return )" + connect + R"( end), " ", s:receive())
    } })" + kUse));
  RawClient c(s.port());
  c.send("POST /keep HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n");
  REQUIRE(s.wait_for_log("kept a"));
  CHECK(get(s.url("/use")).body ==
        "bad request,bad request,bad request,bad request,bad request,bad request,bad request,bad request,bad request,");
  c.send("x");
  CHECK(c.read_response().body == "b\n");
  CHECK(get(s.url("/use")).body == "closed,closed,closed,closed,closed,closed,closed,nil,closed,");
  CHECK(get(s.url("/again")).body == "true a\n");
}

TEST_CASE("a datagram socket ends with its script, and is nobody else's before") {
  Server s(server(R"(
    location /keep { content_by_lua_block {
      local u = ngx.socket.udp()
      assert(u:setpeername("127.0.0.1", ngx.var.server_port))
      package.loaded.kept = u
      ngx.log(ngx.ERR, "kept")
      ngx.req.read_body()
    } }
    location /use { content_by_lua_block {
      local u = package.loaded.kept
      for _, f in ipairs { function() return u:send("x") end, function() return u:receive() end, function() return u:close() end } do
        local ok, value, why = pcall(f)
        ngx.print((tostring(ok and why or value):gsub("^.*: ", "")), ",")
      end
    } })"));
  RawClient c(s.port());
  c.send("POST /keep HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n");
  REQUIRE(s.wait_for_log("kept"));
  CHECK(get(s.url("/use")).body == "bad request,bad request,bad request,");
  c.send("x");
  CHECK(c.read_response().status == 200);
  CHECK(get(s.url("/use")).body == "closed,closed,closed,");
}

TEST_CASE("a finaliser of a script's may run at any time, is nobody's, and changes nothing that is under way") {
  Server s(server(R"(
    location / { set $a 1; content_by_lua_block {
      local ffi = require "ffi"
      collectgarbage("setpause", 0) collectgarbage("setstepmul", 100000) collectgarbage()  -- the next one begins at once
      local seen = 0
      local function last()
        ngx.escape_uri(("%"):rep(100)) ngx.now() ngx.re.match("a", "b") ngx.md5("x") ngx.log(ngx.INFO, "gone")
        if pcall(ngx.req.set_uri_args, "other") or pcall(ngx.say, "no") or pcall(ngx.sleep, 0) then ngx.log(ngx.ERR, "wrong request") end
        seen = seen + 1
      end
      local d = ngx.shared.d
      for i = 1, 10 do d:set(("key"):rep(20) .. i, ("value"):rep(100)) end
      for i = 1, 60 do
        ffi.gc(ffi.new("char[16]"), last)
        getmetatable(newproxy(true)).__gc = last
        ngx.ctx[i] = {}
        assert(ngx.req.get_uri_args().a == ("x"):rep(50))
        assert(ngx.unescape_uri(("%41"):rep(40)) == ("A"):rep(40))
        assert(#d:get_keys() == 10 and #d:get(("key"):rep(20) .. 1) == 500)
      end
      local sem = require "ngx.semaphore".new()
      local waits = ngx.thread.spawn(function() return sem:wait(30) end)
      sem:post()
      ngx.thread.wait(waits)
      ngx.say(seen > 0)
    } })", "lua_shared_dict d 100k;"));
  const std::string args = "/?a=" + std::string(50, 'x');
  for (int i = 0; i < 2; ++i) CHECK(get(s.url(args)).body == "true\n");
  CHECK_THAT(s.error_log(), !ContainsSubstring("wrong request"));
}

TEST_CASE("the last finalisers of a VM make no timer that would outlive it") {
  Server s(server(R"(
    lua_code_cache off;
    location / { content_by_lua_block {
      getmetatable(newproxy(true)).__gc = function()
        ngx.log(ngx.ERR, "last: ", select(2, ngx.timer.at(0, function() ngx.log(ngx.ERR, "never") end)))
      end
      ngx.say("ok")
    } })"));
  s.allow("lua_code_cache is off");
  CHECK(get(s.url("/")).body == "ok\n");
  CHECK(s.wait_for_log("last: process exiting"));
  CHECK(get(s.url("/")).body == "ok\n");
  CHECK_THAT(s.error_log(), !ContainsSubstring("never"));
}

TEST_CASE("a worker that ends makes no timers any more") {
  Server s(server("location / { return 200 a; }",
                  "exit_worker_by_lua_block { ngx.log(ngx.ERR, 'at the end: ', select(2, ngx.timer.at(0, function() end))) }"));
  CHECK(get(s.url("/")).body == "a");
  s.stop();
  CHECK_THAT(s.error_log(), ContainsSubstring("at the end: process exiting"));
}

TEST_CASE("a head that a filter refuses ends the script that speaks behind it in order") {
  Server s(server(R"(
    location / {
      lua_check_client_abort on;
      header_filter_by_lua_block { local t = { ngx.status } ngx.exit(403) t[2] = ngx.status ngx.log(ngx.ERR, "filter ", t[1], " ", t[2]) }
      content_by_lua_block {
        ngx.on_abort(function() ngx.location.capture("/sub") end)
        ngx.say("a") ngx.flush(true) ngx.location.capture("/sub") ngx.say("never")
      }
    }
    location /sub { header_filter_by_lua_block { ngx.header.x = "y" } return 200 sub; })"));
  CHECK(get(s.url("/")).status == 403);
  CHECK(s.wait_for_log("filter 200 200"));
}

TEST_CASE("a script of set_by_lua is no variable for other scripts") {
  Server s(server(R"(
    location / {
      set_by_lua_block $a { return "set" }
      header_filter_by_lua_block {
        local before = { ngx.var.a }
        for i = 0, 9 do local v = ngx.var["seawall_set_by_lua_" .. i] end
        ngx.header.x = before[1]
      }
      return 200 a;
    })"));
  const Response r = get(s.url("/"));
  CHECK(r.header("X") == "set");
}

TEST_CASE("numbers that are none, and too large ones, do no harm") {
  Upstream up([](RawClient& c) {
    c.send("abc");
    c.read_all();
  });
  Server s(server(R"(
    location / { content_by_lua_block {
      local nan, huge = 0/0, 1e300
      local s = ngx.socket.tcp()
      assert(s:connect("127.0.0.1", )" + std::to_string(up.port()) + R"())
      assert(s:receiveany(huge))
      local d = ngx.shared.d
      for _, n in ipairs { nan, huge, -huge, 2^31, 2^53, 2^63, -1, 0.5 } do
        pcall(ngx.socket.tcp().connect, ngx.socket.tcp(), "127.0.0.1", n)
        pcall(s.settimeout, s, n) pcall(s.settimeouts, s, n, n, n) pcall(s.setoption, s, "rcvbuf", n)
        pcall(s.receive, s, nan) pcall(s.receiveany, s, nan)
        pcall(ngx.sleep, -huge) pcall(ngx.sleep, nan)
        pcall(ngx.timer.at, n, function() end)
        pcall(d.set, d, "k", 1, n) pcall(d.incr, d, "l", 1, 0, n) pcall(d.expire, d, "k", n) pcall(d.get_keys, d, n) pcall(d.flush_expired, d, n)
        pcall(ngx.http_time, n) pcall(ngx.cookie_time, n)
        local sem = require "ngx.semaphore".new(1)
        pcall(sem.post, sem, n) pcall(sem.post, sem, n) pcall(sem.wait, sem, nan)
        pcall(ngx.re.match, "ab", "b", "", { pos = n }) pcall(ngx.re.find, "ab", "b", "", { pos = n }, n)
        pcall(ngx.req.get_body_data, n) pcall(ngx.exit, nan) pcall(ngx.redirect, "/", n)
      end
      s:settimeout(1000)
      ngx.say(s:setkeepalive(huge, huge))
      ngx.say(ngx.http_time(0), " ", ngx.http_time(1e300))
    } })", "lua_shared_dict d 100k;"));
  CHECK_THAT(get(s.url("/")).body, ContainsSubstring("1\nThu, 01 Jan 1970 00:00:00 GMT Fri, 31 Dec 9999 23:59:59 GMT\n"));
}

TEST_CASE("text that is no UTF-8 is no danger for patterns that do not check it") {
  Server s(server(R"lua(
    location / { content_by_lua_block {
      local bad = ("a\xff\xfe\xc3"):rep(50) .. "\xf0\x9f"
      ngx.say(ngx.re.find(bad, "a.", "U") == nil, " ", (ngx.re.gsub("\xc3\xa4x\xff", ".", "-", "U")))
      ngx.say(select(2, ngx.re.match("a", "\xff", "U")) ~= nil)
    } })lua"));
  CHECK(get(s.url("/")).status == 200);
}

TEST_CASE("what a semaphore has given to a light thread that is ended at once goes to the next") {
  Server s(server(R"(
    location / { content_by_lua_block {
      local sem = require "ngx.semaphore".new()
      local t = ngx.thread.spawn(function() sem:wait(30) end)
      sem:post()
      ngx.thread.kill(t)
      ngx.say(sem:wait(30))
    } })"));
  CHECK(get(s.url("/")).body == "true\n");
}

TEST_CASE("what a script says of a response behind its end does not reach the one that is gone") {
  Server s(server(R"(
    location / { content_by_lua_block {
      ngx.header.x = "1"
      ngx.say("all")
      ngx.eof()
      assert(gone:wait(30))
      local seen = ngx.header.x, ngx.status, ngx.resp.get_headers(), ngx.var.sent_http_x
      ngx.log(ngx.ERR, "behind it")
    } }
    location /gone { content_by_lua_block { gone:post() ngx.say("ok") } })", "init_worker_by_lua_block { gone = require 'ngx.semaphore'.new() }"));
  RawClient c(s.port());
  c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(c.read_response().body == "all\n");
  CHECK(get(s.url("/gone")).body == "ok\n");
  CHECK(s.wait_for_log("behind it"));
}

TEST_CASE("what a VM's start leaves over is collected before the first request") {
  Server s(server("location / { content_by_lua_block { ngx.say(math.floor(collectgarbage(\"count\") / 1024)) } }",
                  "init_by_lua_block { local t = {} for i = 1, 200000 do t[i] = \"a text of its own, number \" .. i end }"));
  CHECK(std::stoi(get(s.url()).body) < 4);  // MiB of some 16
}

TEST_CASE("a timer that runs again and again needs no coroutine of its own each time") {
  Server s(server(R"(
    location / { content_by_lua_block {
      collectgarbage() collectgarbage("stop")
      local before, ran, all = collectgarbage("count"), 0, require "ngx.semaphore".new()
      for i = 1, 100 do
        assert(ngx.timer.at(0, function() ran = ran + 1 all:post() end))
        assert(all:wait(30))
      end
      ngx.say(ran, " ", math.floor((collectgarbage("count") - before) * 1024 / 100) < 400)  -- a coroutine alone is more
    } })"));
  get(s.url());  // what is made once
  CHECK(get(s.url()).body == "100 true\n");
}

TEST_CASE("a finaliser that fails when a VM's start is collected is in the log and harms nobody") {
  Server s(server("location / { content_by_lua_block { ngx.say(1) } }",
                  "init_by_lua_block { getmetatable(newproxy(true)).__gc = function() error(\"oops\") end }"));
  CHECK(get(s.url()).body == "1\n");
  CHECK_THAT(s.error_log(), ContainsSubstring("collecting what a VM's start left over failed: ") && ContainsSubstring("oops"));
}
