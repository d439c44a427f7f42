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

TEST_CASE("a cosocket whose peer says no more still sends, and can be closed, but not kept") {
  Server s(server(R"(
    location / { content_by_lua_block {
      local s = ngx.socket.tcp()
      assert(s:connect("127.0.0.1", ngx.var.server_port))
      assert(s:send("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))
      ngx.say((s:receive("*a"):match("\r\n\r\n(.*)$")))
      ngx.say(select(2, s:receive()), " ", s:getreusedtimes(), " ", select(2, s:setkeepalive()), " ", s:close(), " ", select(2, s:close()))
    } }
    location /hello { return 200 hello; })"));
  CHECK(get(s.url("/")).body == "hello\nclosed 0 closed 1 closed\n");
  CHECK(s.wait_for_log("attempt to receive data on a closed socket"));
  CHECK(s.wait_for_log("attempt to set keepalive on a closed socket"));
}

TEST_CASE("a table that goes over a socket holds strings and numbers") {
  Server s(server(R"(
    location / { content_by_lua_block {
      local s = ngx.socket.tcp()
      s:connect("127.0.0.1", ngx.var.server_port)
      for _, bad in ipairs { { "a", true }, { { ngx.null } }, { "a", nil, "b" } } do ngx.say(select(2, pcall(s.send, s, bad))) end
      ngx.say(s:send { "GET /", 1, { 2, "x" }, " HTTP/1.0\r\n\r\n" })
    } })"));
  const std::string body = get(s.url("/")).body;
  CHECK_THAT(body, ContainsSubstring("bad argument #1 to 'send' (bad data type boolean found)"));
  CHECK_THAT(body, ContainsSubstring("bad argument #1 to 'send' (bad data type userdata found)"));
  CHECK_THAT(body, ContainsSubstring("bad argument #1 to 'send' (bad data type nil found)"));
  CHECK_THAT(body, ContainsSubstring("\n21\n"));
}

TEST_CASE("what has no request says where it is in the log, and what cannot be loaded at the start is named") {
  Server s(server("location / { return 200; }", "init_worker_by_lua_block { local function warn(text) ngx.log(ngx.WARN, text) end warn('begun') } "
                  "exit_worker_by_lua_block { this is no Lua }"));
  CHECK(s.wait_for_log("warn\\(\\): begun, context: init_worker_by_lua\\*"));
  s.stop();
  CHECK(s.wait_for_log("exit_worker_by_lua error: exit_worker_by_lua\\(nginx.conf:[0-9]+\\):"));
}

TEST_CASE("under compat nginx what scripts and echo say goes in chunks, one for each echo") {
  Server s("compat nginx;\nevents {}\nhttp {" + server(R"(
    location /script { content_by_lua_block { ngx.say("a") ngx.say("b") } }
    location /length { content_by_lua_block { ngx.header.content_length = 2 ngx.say("a") } }
    location /echo { echo a; echo b; body_filter_by_lua_block { ngx.log(ngx.ERR, "piece: [", (ngx.arg[1]:gsub("\n", ".")), "] ", ngx.arg[2]) } })") + "}");
  for (const char* path : {"/script", "/echo"}) {
    RawClient c(s.port());
    c.send("GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    const Response r = c.read_response();
    CHECK(r.header("Transfer-Encoding") == "chunked");
    CHECK(r.body == "a\nb\n");
  }
  CHECK(s.wait_for_log("piece: \\[a\\.\\] false"));
  CHECK(s.wait_for_log("piece: \\[\\] true"));
  CHECK(get(s.url("/length")).header("Content-Length") == "2");
  RawClient old(s.port());
  old.send("GET /script HTTP/1.0\r\n\r\n");
  CHECK(old.read_response().header("Content-Length") == "4");
}

TEST_CASE("a dictionary gives a value alone where it has no flags") {
  Server s(server(R"(
    location / { content_by_lua_block {
      local d = ngx.shared.d
      d:set("plain", 1)
      d:set("marked", 2, 0, 7)
      ngx.say(select("#", d:get("plain")), " ", select("#", d:get("none")), " ", select(2, d:get("marked")))
    } })", "lua_shared_dict d 100k;"));
  CHECK(get(s.url("/")).body == "1 1 7\n");
}

TEST_CASE("what is about a request says in a timer that there is none") {
  Server s(server(R"(
    location / { content_by_lua_block {
      ngx.timer.at(0, function()
        for _, f in ipairs { ngx.req.get_headers, ngx.req.get_body_data, ngx.req.discard_body, function() return ngx.header.a end } do
          ngx.log(ngx.ERR, "asked: ", select(2, pcall(f)))
        end
        ngx.log(ngx.ERR, "said: ", select(2, pcall(ngx.say, 1)))
      end)
    } })"));
  get(s.url("/"));
  CHECK(s.wait_for_log("said: API disabled in the context of ngx.timer"));
  const std::string log = s.error_log();
  std::size_t count = 0;
  for (std::size_t at = 0; (at = log.find("API disabled in the current context", at)) != log.npos; ++at) ++count;
  CHECK(count == 4);
}

TEST_CASE("the log of who looks for mistakes says what a script waits for") {
  Server s("error_log %%DIR%%/debug.log debug;\nevents {}\nhttp {" + server(R"(
    location / { lua_code_cache off; content_by_lua_block {
      ngx.ctx.a = 1
      ngx.sleep(0.001)
      local s = ngx.socket.tcp()
      s:settimeouts(1001, 1002, 1003)
      for i = 1, 2 do
        assert(s:connect("127.0.0.1", ngx.var.server_port, { pool = "p" }))
        assert(s:send("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"))
        s:receiveuntil("hello")()
        assert(s:setkeepalive(2000, 5))
      end
      ngx.exit(ngx.OK)
    } }
    location /hello { return 200 hello; })") + "}");
  s.allow("lua_code_cache is off");
  get(s.url("/?a"));
  for (const char* line : {"lua ready to sleep for 1 ms", "lua sleep timer expired: \"/\\?a\"", "lua tcp socket connect timeout: 1001",
                           "lua tcp socket send timeout: 1002", "lua tcp socket read timeout: 1003", "lua tcp socket keepalive timeout: 2000 ms",
                           "lua tcp socket keepalive create connection pool for key \"p\"", "lua tcp socket connection pool size: 5",
                           "lua tcp socket get keepalive peer: using connection", "lua exit with code 0", "lua release ngx.ctx at ref",
                           "decrementing the reference count for Lua VM: 1", "lua close the global Lua VM"})
    CHECK(s.wait_for_log(line, "debug.log"));
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
