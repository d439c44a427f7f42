// Scripts in the life of a request: phases, output, control, light threads, timers.
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

TEST_CASE("a script of each phase sees what the one before has left") {
  Server s(server(R"(
    location / {
      set $first 1;
      set_by_lua_block $second { return ngx.var.first + 41 }
      rewrite_by_lua_block { ngx.ctx.seen = "rewrite" }
      access_by_lua_block { ngx.ctx.seen = ngx.ctx.seen .. " access"; if ngx.var.arg_out then return ngx.exit(403) end }
      content_by_lua_block { ngx.say(ngx.ctx.seen, " ", ngx.var.second, " ", ngx.get_phase()) }
      header_filter_by_lua_block { ngx.header.x_from = "filter" }
      body_filter_by_lua_block { ngx.arg[1] = ngx.arg[1]:upper() }
      log_by_lua_block { ngx.log(ngx.ERR, "logged ", ngx.status) }
    })"));
  const Response r = get(s.url("/"));
  CHECK(r.body == "REWRITE ACCESS 42 CONTENT\n");
  CHECK(r.header("X-From") == "filter");
  CHECK(s.wait_for_log("log_by_lua\\(.*\\):1: logged 200, client"));
  CHECK(get(s.url("/?out=1")).status == 403);
  CHECK(s.wait_for_log("logged 403, client"));
}

TEST_CASE("a script says values as text, with a status and fields of its own") {
  Server s(server(R"(
    location / { content_by_lua_block {
      ngx.status = 201
      ngx.header["X-Two"] = { "a", "b" }
      ngx.header.content_type = "text/x"
      ngx.print({ 1, { 2, 3 } }, nil, true, ngx.null, 0.5)
      ngx.say(ngx.headers_sent)
    } })"));
  const Response r = get(s.url("/"));
  CHECK(r.status == 201);
  CHECK(r.body == "123niltruenull0.5true\n");
  CHECK(r.count("X-Two") == 2);
  CHECK(r.header("Content-Type") == "text/x");
}

TEST_CASE("what a script says before it waits is sent before it") {
  Server s(server("location / { content_by_lua_block { ngx.say('first') ngx.flush(true) ngx.sleep(0.01) ngx.say('second') ngx.sleep(30) } }"));
  RawClient c(s.port());
  c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  c.read_until("first\n");
  c.read_until("second\n");
  c.reset();
}

TEST_CASE("a script redirects, goes elsewhere, exits, and fails with one line") {
  Server s(server(R"(
    location /away { content_by_lua_block { return ngx.redirect("/there", 301) } }
    location /inside { content_by_lua_block { return ngx.exec("/there", { a = 1 }) } }
    location /named { rewrite_by_lua_block { return ngx.exec("@named") } }
    location @named { content_by_lua_block { ngx.say("named") } }
    location /there { content_by_lua_block { ngx.say(ngx.var.args) } }
    location /gone { access_by_lua_block { ngx.exit(410) } content_by_lua_block { ngx.say("no") } }
    location /moved { rewrite_by_lua_block { ngx.req.set_uri("/there", true) } }
    location /bad { content_by_lua_block { error("oops") } }
    location /unreadable { content_by_lua_block { end } }
    location /missing { content_by_lua_file nowhere.lua; })"));
  CHECK(get(s.url("/away")).status == 301);
  CHECK_THAT(get(s.url("/away")).header("Location"), ContainsSubstring("/there"));
  CHECK(get(s.url("/inside")).body == "a=1\n");
  CHECK(get(s.url("/named")).body == "named\n");
  CHECK(get(s.url("/gone")).status == 410);
  CHECK(get(s.url("/moved?x=2")).body == "x=2\n");
  CHECK(get(s.url("/bad")).status == 500);
  CHECK(s.wait_for_log("lua entry thread aborted: runtime error: content_by_lua\\(.*:[0-9]+\\):1: oops.*stack traceback:.*coroutine 0:"));
  CHECK(get(s.url("/unreadable")).status == 500);
  CHECK(s.wait_for_log("failed to load inlined Lua code: content_by_lua"));
  CHECK(get(s.url("/missing")).status == 404);
}

TEST_CASE("an upstream is asked for the URI that a script has set") {
  Server s(server(R"(
    location /rewritten { rewrite_by_lua_block { ngx.req.set_uri_args("a=1") ngx.req.set_uri("/new name") } proxy_pass http://127.0.0.1:%%PORT_1%%; }
    location /allowed { access_by_lua_block { ngx.req.set_uri("/late") } proxy_pass http://127.0.0.1:%%PORT_1%%; }
    location /kept { rewrite_by_lua_block { ngx.req.set_uri_args("a=1") } proxy_pass http://127.0.0.1:%%PORT_1%%; })",
                  "server { listen 127.0.0.1:%%PORT_1%%; location / { return 200 $request_uri; } }"));
  CHECK(get(s.url("/rewritten?b=2")).body == "/new%20name?a=1");
  CHECK(get(s.url("/allowed?b=2")).body == "/late?b=2");
  CHECK(get(s.url("/kept%2dname?b=2")).body == "/kept%2dname?a=1");
}

TEST_CASE("ngx.exit(ngx.DECLINED) has no opinion, and the request goes on") {
  Server s(server(R"(
    location /rewrite { rewrite_by_lua_block { ngx.exit(ngx.DECLINED) } content_by_lua_block { ngx.print("in") } }
    location /access { access_by_lua_block { ngx.exit(ngx.DECLINED) } content_by_lua_block { ngx.print("in") } }
    location /denied { satisfy any; deny all; access_by_lua_block { ngx.exit(ngx.DECLINED) } content_by_lua_block { ngx.print("in") } }
    location /content { content_by_lua_block { ngx.exit(ngx.DECLINED) } })"));
  CHECK(get(s.url("/rewrite")).body == "in");
  CHECK(get(s.url("/access")).body == "in");
  CHECK(get(s.url("/denied")).status == 403);
  CHECK(get(s.url("/content")).status == 404);  // nobody else has the content either: there is no such file
}

TEST_CASE("an access script that waits says the same as one that does not, for itself and under satisfy any") {
  Server s(server(R"(
    location / { access_by_lua_block { may_wait() if ngx.var.arg_no then ngx.exit(403) end } echo in; }
    location /any {
      satisfy any; deny all;
      access_by_lua_block { may_wait() ngx.exit(ngx.var.arg_no and 403 or ngx.OK) }
      echo in;
    }
    location /asks {
      satisfy any; deny all; auth_delay 1ms;
      access_by_lua_block { may_wait() ngx.header.www_authenticate = "Own" ngx.exit(401) }
      echo in;
    })", R"(init_by_lua_block {
    function may_wait()
      if not ngx.var.arg_wait then return end
      local go = require "ngx.semaphore".new()
      ngx.timer.at(0, function() go:post() end)
      assert(go:wait(10))
    end
  })"));
  for (const char* wait : {"", "&wait=1"}) {
    INFO(wait);
    CHECK(get(s.url(std::string("/?a=1") + wait)).body == "in\n");
    CHECK(get(s.url(std::string("/?no=1") + wait)).status == 403);
    CHECK(get(s.url(std::string("/any?a=1") + wait)).body == "in\n");
    CHECK(get(s.url(std::string("/any?no=1") + wait)).status == 403);
    const Response asked = get(s.url(std::string("/asks?a=1") + wait));
    CHECK(asked.status == 401);
    CHECK(asked.header("WWW-Authenticate") == "Own");
  }
}

TEST_CASE("variables have their values of this request, however often and by however many names they are asked for") {
  Server s(server(R"(
    location ~ ^/(g.) { set $own $arg_a; content_by_lua_block {
      local function say_all()
        ngx.say(ngx.var.own, ngx.var.ARG_a, ngx.var.arg_b, ngx.var.nobodys, ngx.var.sent_http_x_said, ngx.var[1], ngx.var.arg_1, ngx.var.arg_1100)
      end
      ngx.header.x_said = ngx.var.arg_a
      say_all()
      for i = 1, 1100 do local ignored = ngx.var["arg_" .. i] end
      ngx.var.own = "new"
      say_all()
      ngx.say(ngx.var["arg_" .. ("long"):rep(100)])
    } })"));
  const std::string long_name = [] {
    std::string name;
    for (int i = 0; i < 100; ++i) name += "long";
    return name;
  }();
  for (const char* v : {"1", "2"}) {
    const std::string value = v, group = "g" + value;
    const std::string query = "/" + group + "?a=" + value + "&b=" + value + "&1=" + value + "&1100=" + value + "&" + long_name + "=" + value;
    const std::string both = value + value + "nil" + value + group + value + value + "\n";
    CHECK(get(s.url(query)).body == value + both + "new" + both + value + "\n");
  }
}

TEST_CASE("light threads and coroutines wait without each other") {
  Server s(server(R"(
    location / { content_by_lua_block {
      local t = ngx.thread.spawn(function(a) ngx.sleep(0.001) return a, 8 end, 7)
      local bad = ngx.thread.spawn(function() error("bad", 0) end)
      ngx.say(tostring(ngx.thread.wait(bad)), " ", select(2, ngx.thread.wait(t)))
      local co = coroutine.wrap(function(a) ngx.sleep(0.001) local b = coroutine.yield(a + 1) ngx.sleep(0.001) return b * 2 end)
      ngx.say(co(1), " ", co(5))
      local killed = ngx.thread.spawn(function() ngx.sleep(30) end)
      ngx.say(ngx.thread.kill(killed))
    } })"));
  CHECK(get(s.url("/")).body == "false 78\n2 10\n1\n");
}

TEST_CASE("a timer runs later, in nobody's request, and at the end before its time") {
  Server s(server(R"(
    location / { content_by_lua_block {
      ngx.timer.at(0, function(premature, a) ngx.log(ngx.ERR, "soon ", tostring(premature), " ", a, " ", ngx.get_phase()) end, "x")
      ngx.timer.at(3600, function(premature) ngx.log(ngx.ERR, "late ", tostring(premature)) end)
      ngx.say(ngx.timer.pending_count())
    } })"));
  CHECK(get(s.url("/")).body == "2\n");
  CHECK(s.wait_for_log("soon false x timer"));
  s.stop();
  CHECK_THAT(s.error_log(), ContainsSubstring("late true"));
}

TEST_CASE("a script reads the request's body and its arguments") {
  Server s(server(R"(
    location / { content_by_lua_block {
      ngx.req.read_body()
      local args = ngx.req.get_post_args()
      ngx.say(ngx.req.get_body_data(), " ", args.a, " ", args.b[2], " ", tostring(args.c), " ", ngx.req.get_uri_args().q)
      ngx.say(ngx.req.get_method(), " ", ngx.req.get_headers().content_length)
    } })"));
  Request post;
  post.url = s.url("/?q=%41");
  post.method = "POST";
  post.body = "a=1&b=2&b=%33&c";
  CHECK(fetch(post).body == "a=1&b=2&b=%33&c 1 3 true A\nPOST 15\n");
}

TEST_CASE("a hook may not wait where nothing can") {
  Server s(server("location / { header_filter_by_lua_block { ngx.sleep(1) } return 200 a; }"));
  CHECK(get(s.url("/")).status == 500);
  CHECK(s.wait_for_log("API disabled in the context of header_filter_by_lua\\*"));
}

TEST_CASE("a Lua block ends at its own brace, and one without end is refused") {
  Server s(server("location / { content_by_lua_block { -- a brace } in a comment\n local t = { '}', \"}\", [[}]], [=[}]=] }\n ngx.say(#t) } }"));
  CHECK(get(s.url("/")).body == "4\n");
  const Run run = check_config(server("location / { content_by_lua_block { ngx.say('{') } "));
  CHECK(run.exit_code == 1);
}

TEST_CASE("a client that leaves is told to the script that has asked for it") {
  Server s(server(R"(
    location / { lua_check_client_abort on; content_by_lua_block {
      assert(ngx.on_abort(function() ngx.log(ngx.ERR, "the client has left") ngx.exit(499) end))
      ngx.log(ngx.ERR, "waits")
      ngx.sleep(3600)
    } })"));
  RawClient c(s.port());
  c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(s.wait_for_log("waits"));
  c.reset();
  CHECK(s.wait_for_log("the client has left"));
}

TEST_CASE("a script reads the body as it comes, and may write another one") {
  Server s(server(R"(
    location /read { content_by_lua_block {
      local s = assert(ngx.req.socket())
      ngx.say(s:receive(3), " ", s:receive("*l"), " ", s:receive("*a"))
    } }
    location /write { content_by_lua_block {
      ngx.req.read_body()
      ngx.req.init_body() ngx.req.append_body("one") ngx.req.append_body("two") ngx.req.finish_body()
      ngx.say(ngx.req.get_body_data(), " ", ngx.var.content_length)
    } })"));
  Request post;
  post.url = s.url("/read");
  post.method = "POST";
  post.body = "abcline\r\nrest";
  CHECK(fetch(post).body == "abc line rest\n");
  post.url = s.url("/write");
  CHECK(fetch(post).body == "onetwo 6\n");
}

TEST_CASE("behind a 101 the connection is the script's") {
  Server s(server(R"(
    location / { content_by_lua_block {
      ngx.status = 101
      ngx.header.upgrade = "echo"
      ngx.send_headers()
      ngx.flush(true)
      local s = assert(ngx.req.socket(true))
      s:send("you said " .. s:receive("*l") .. "\n")
    } })"));
  RawClient c(s.port());
  c.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nhello\r\n");
  CHECK(c.read_until("\r\n\r\n").starts_with("HTTP/1.1 101 "));
  CHECK(c.read_until("\n") == "you said hello\n");
  CHECK(c.expect_close(std::chrono::seconds(10)));
}

TEST_CASE("a script of set_by_lua that fails is a 500") {
  Server s(server("location / { set_by_lua_block $a { error('no') } content_by_lua_block { ngx.say('never') } }"));
  CHECK(get(s.url("/")).status == 500);
  CHECK(s.wait_for_log("failed to run set_by_lua\\*: set_by_lua"));
}

TEST_CASE("a script that exits with an error says nothing, and one in front of the head leaves it without a body") {
  Server s(server(R"(
    location /error { content_by_lua_block { ngx.exit(ngx.ERROR) } }
    location /again { content_by_lua_block { ngx.exit(ngx.AGAIN) } }
    location /head { header_filter_by_lua_block { return ngx.exit(201) } content_by_lua_block { ngx.say("hi") } }
    location /missing { content_by_lua_block { ngx.exit(ngx.HTTP_NOT_IMPLEMENTED) } })"));
  RawClient c(s.port());
  c.send("GET /error HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(c.read_all() == "");
  CHECK(get(s.url("/again")).status == 500);
  CHECK(s.wait_for_log("bad argument to 'ngx.exit': does not accept NGX_AGAIN or NGX_DONE"));
  const Response r = get(s.url("/head"));
  CHECK(r.status == 201);
  CHECK(r.body == "");
  CHECK(get(s.url("/missing")).status == 501);
}

TEST_CASE("arguments of a query count whether they have a name or not") {
  Server s(server(R"(location / { content_by_lua_block {
    local args, why = ngx.req.get_uri_args(2)
    ngx.print(why, " ") for key, value in pairs(args) do ngx.print(key, "=", tostring(value), " ") end
    ngx.say(ngx.escape_uri("!*'()~ /"))
  } })"));
  CHECK(get(s.url("/?foo=3&=hello&=world")).body == "truncated foo=3 !*'()~%20%2F\n");
  CHECK(get(s.url("/?foo=3&=hello")).body == "nil foo=3 !*'()~%20%2F\n");
}
