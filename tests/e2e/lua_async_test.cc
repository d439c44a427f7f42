// Scripts that ask others: shared dictionaries, subrequests, sockets, semaphores, patterns.
#include "catch.h"

#include "e2e/curl.h"
#include "e2e/probe.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string server(std::string_view inside, std::string_view outside = "") {
  std::string text(outside);
  text += " server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%; default_type text/plain; ";
  return text.append(inside).append(" }");
}

}  // namespace

TEST_CASE("a shared dictionary keeps values of all kinds, lists and times, beyond a reload") {
  const std::string text = server(R"(
    location /set { content_by_lua_block {
      local d = ngx.shared.d
      ngx.say(d:set("a", 5), " ", d:incr("a", 2), " ", d:add("a", 1), " ", d:get("none"))
      ngx.say(d:rpush("l", "x"), " ", d:lpush("l", 1), " ", d:lpop("l"), " ", d:llen("l"))
      d:set("short", true, 0.001)
      ngx.sleep(0.01)
      ngx.say(d:get("short"), " ", (d:get_stale("short")))
    } }
    location /get { content_by_lua_block { ngx.say(ngx.shared.d:get("a"), " ", ngx.shared.d:lpop("l")) } })",
                                  "lua_shared_dict d 100k;");
  Server s(text);
  CHECK(get(s.url("/set")).body == "true 7 false nil\n1 2 1 1\nnil true\n");
  CHECK(s.reload(text));
  CHECK(get(s.url("/get")).body == "7 x\n");
}

TEST_CASE("a full dictionary loses what is oldest, unless it was asked not to") {
  Server s(server(R"(
    location / { content_by_lua_block {
      local d, forced = ngx.shared.d, false
      for i = 1, 200 do local _, _, f = d:set("k" .. i, ("x"):rep(1000)) forced = forced or f end
      ngx.say(forced, " ", d:get("k1"), " ", #d:get("k200"), " ", select(2, d:safe_set("big", ("x"):rep(90000))))
    } })", "lua_shared_dict d 100k;"));
  CHECK(get(s.url("/")).body == "true nil 1000 no memory\n");
}

TEST_CASE("a script reads what other locations answer, with a method, a body and variables of its own") {
  Server s(server(R"(
    location / { set $who outer; content_by_lua_block {
      local r = ngx.location.capture("/sub?a=1", { args = { b = 2 }, method = ngx.HTTP_POST, body = "hi", vars = { who = "inner" } })
      ngx.say(r.status, " ", r.body, " ", r.header["X-Sub"], " ", ngx.var.who)
      local x, y = ngx.location.capture_multi { { "/sub" }, { "/none" } }
      ngx.say(x.status, " ", y.status)
    } }
    location /none { return 404; }
    location /sub { content_by_lua_block {
      ngx.req.read_body()
      ngx.header["X-Sub"] = tostring(ngx.is_subrequest)
      ngx.print(ngx.req.get_method(), " ", ngx.var.args, " ", ngx.req.get_body_data(), " ", ngx.var.who)
    } })"));
  CHECK(get(s.url("/")).body == "200 POST a=1&b=2 hi inner true outer\n200 404\n");
}

TEST_CASE("a script speaks over sockets, and keeps them for others") {
  Server s(server(R"(
    location / { content_by_lua_block {
      for i = 1, 2 do
        local s = ngx.socket.tcp()
        assert(s:connect("127.0.0.1", ngx.var.server_port))
        ngx.print(s:getreusedtimes(), " ")
        assert(s:send { "GET /hello HTTP/1.1\r\n", "Host: a\r\n\r\n" })
        local head = s:receiveuntil("\r\n\r\n")()
        ngx.say(head:match("^[^\r]+"), " ", s:receive(5))
        assert(s:setkeepalive(1000, 5))
      end
      local s = ngx.socket.tcp()
      ngx.say(select(2, s:connect("127.0.0.1", 1)), " ", select(2, s:send("x")), " ", select(2, s:connect("a.test", 1)))
    } }
    location /hello { return 200 hello; })"));
  CHECK(get(s.url("/")).body ==
        "0 HTTP/1.1 200 OK hello\n1 HTTP/1.1 200 OK hello\nconnection refused closed no resolver defined to resolve \"a.test\"\n");
}

TEST_CASE("a semaphore lets one script wait for another") {
  Server s(server(R"(
    location / { content_by_lua_block {
      local sem = require "ngx.semaphore".new()
      ngx.thread.spawn(function() ngx.sleep(0.001) sem:post() end)
      ngx.say(sem:wait(10), " ", select(2, sem:wait(0.001)), " ", sem:count())
    } })"));
  CHECK(get(s.url("/")).body == "true timeout 0\n");
}

TEST_CASE("ngx.re matches, replaces and divides") {
  Server s(server(R"lua(
    location / { content_by_lua_block {
      local m = ngx.re.match("hello 1234", "(?<word>[a-z]+) ([0-9]+)", "jo")
      ngx.say(m[0], ",", m.word, ",", m[2])
      ngx.say((ngx.re.gsub("a-b-c", "-", "[$0]")), " ", (ngx.re.sub("abc", "(b)", function(m) return m[1]:upper() end)))
      ngx.say(ngx.re.find("xxab", "ab"))
      for m in ngx.re.gmatch("a1b2", "[a-z]([0-9])") do ngx.print(m[1]) end
      ngx.say(" ", table.concat(require "ngx.re".split("a,b,,c", ","), "|"))
      ngx.say(select(2, ngx.re.match("a", '(')))
    } })lua"));
  CHECK(get(s.url("/")).body ==
        "hello 1234,hello,1234\na[-]b[-]c aBc\n34\n12 a|b||c\npcre_compile() failed: missing closing parenthesis in \"(\"\n");
}

TEST_CASE("what is not there is refused by its name") {
  Server s(server("location / { content_by_lua_block { ngx.say(select(2, pcall(ngx.run_worker_thread))) } }"));
  CHECK_THAT(get(s.url("/")).body, ContainsSubstring("ngx.run_worker_thread is not supported yet"));
}

TEST_CASE("a replacement that cannot be understood is an error, and the log says why") {
  Server s(server(R"lua(location / { content_by_lua_block {
    for _, bad in ipairs { "$x", "${x}", "${1", "$" } do ngx.say(select(3, ngx.re.sub("ab", "a", bad))) end
    local next_match = ngx.re.gmatch("1 2", "[0-9]", "a")
    next_match()
    ngx.say(select("#", next_match()))
  } })lua"));
  const std::string failed = "failed to compile the replacement template\n";
  CHECK(get(s.url("/")).body == failed + failed + failed + failed + "1\n");
  CHECK(s.wait_for_log("attempt to use named capturing variable \"x\" \\(named captures not supported yet\\)"));
  CHECK(s.wait_for_log("the closing bracket in \"1\" variable is missing"));
}
