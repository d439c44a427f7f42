// What scripts written for OpenResty rely on: orders, words and lines of the log that are its own.
#include "catch.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "e2e/certificate.h"
#include "e2e/curl.h"
#include "e2e/dns_server.h"
#include "e2e/probe.h"
#include "seawall/base/fd.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string server(std::string_view inside) {
  return std::string("server { listen 127.0.0.1:%%PORT_0%%; root %%DIR%%; default_type text/plain; ").append(inside).append(" }");
}
// What a script of content_by_lua says.
std::string said_by(std::string_view code) {
  Server s(server(std::string("location / { content_by_lua_block { ").append(code).append(" } }")));
  return get(s.url("/?a=1")).body;
}
std::string alike(std::string_view inside) { return "compat nginx;\nevents {}\nhttp {" + server(inside) + "}"; }
std::string with_debug_log(std::string_view inside) {
  return "error_log %%DIR%%/debug.log debug;\nevents {}\nhttp {" + server(inside) + "}";
}

// Where a connection is never made: its queue is full.
class FullListener {
 public:
  FullListener() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), first_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(listener_.get(), any, size) == 0);
    REQUIRE(::listen(listener_.get(), 0) == 0);
    REQUIRE(::getsockname(listener_.get(), any, &size) == 0);
    REQUIRE(::connect(first_.get(), any, size) == 0);
    port_ = ntohs(address.sin_port);
  }
  std::string port() const { return std::to_string(port_); }

 private:
  seawall::Fd listener_, first_;
  int port_ = 0;
};

}  // namespace

TEST_CASE("groups that have matched nothing are false - not there at all among several of one name") {
  CHECK(said_by(R"lua(
    local m = ngx.re.match("hello", "(world)|(hello)|(?<named>howdy)")
    ngx.say(tostring(m[1]), m[2], tostring(m[3]), tostring(m.named))
    local d = ngx.re.match("b", "(?<x>a)|(?<x>b)|(?<y>c)", "D")
    ngx.say(table.concat(d.x, ","), " ", tostring(d.y))
    ngx.re.gsub("b", "(a)|b", function(g) ngx.say(tostring(g[1])) return "" end)
    ngx.say(select(2, pcall(ngx.re.match, "a", "a", "jHm")))
  )lua") == "falsehellofalsefalse\nb nil\nfalse\ncontent_by_lua(nginx.conf:3):7: unknown flag \"H\" (flags \"jHm\")\n");
}

TEST_CASE("who has spawned a light thread goes on behind those that have given way, before those whose wait is over") {
  CHECK(said_by(R"lua(
    local function say(...) ngx.say(...) end
    local f = ngx.thread.spawn(function() say("f") ngx.thread.spawn(function() say("g") end) say("f again") end)
    say("after f")
    ngx.thread.wait(f)
    ngx.thread.spawn(function() say(1) coroutine.yield() say(2) end)
    ngx.thread.spawn(function() say("a") end)
    say("done")
    ngx.thread.spawn(function() ngx.location.capture("/none") say("there") end)
    ngx.thread.spawn(function() end)
    say("before")
  )lua") == "f\ng\nafter f\nf again\n1\na\n2\ndone\nbefore\nthere\n");
}

TEST_CASE("a light thread that waits inside a coroutine of its own is normal") {
  CHECK(said_by(R"lua(
    local light, inner
    local gate = require("ngx.semaphore").new()
    local thread = ngx.thread.spawn(function()
      light = coroutine.running()
      inner = coroutine.create(function() gate:wait(10) ngx.say(coroutine.status(light), " ", coroutine.status(inner)) end)
      coroutine.resume(inner)
      ngx.say(coroutine.status(light), " ", coroutine.status(inner))
    end)
    ngx.say(coroutine.status(light), " ", coroutine.status(inner))
    gate:post()
    ngx.thread.wait(thread)
  )lua") == "normal normal\nnormal running\nrunning dead\n");
}

TEST_CASE("ngx.exit that closes the connection takes subrequests along, any other is refused") {
  Server s(server(R"lua(
    location / { content_by_lua_block {
      local gate, status, refused = require("ngx.semaphore").new, tonumber(ngx.var.arg_status)
      local begun, tried = gate(), gate()
      package.loaded.gates = { begun = begun, tried = tried }
      ngx.thread.spawn(function() begun:wait(10) refused = select(2, pcall(ngx.exit, status)) tried:post() end)
      local r = ngx.location.capture("/slow")
      ngx.say(refused, r.status)
    } }
    location /slow { content_by_lua_block { local gates = package.loaded.gates gates.begun:post() gates.tried:wait(10) } })lua"));
  CHECK_THAT(get(s.url("/?status=200")).body, ContainsSubstring("attempt to abort with pending subrequests200"));
  for (const char* status : {"-1", "444"}) {
    RawClient c(s.port());
    c.send("GET /?status=" + std::string(status) + " HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(c.expect_close(kPatience));
  }
  CHECK(get(s.url("/?status=408")).status == 408);
}

TEST_CASE("variables of a subrequest must be there, and changeable") {
  Server s(server(R"lua(
    location / { set $known a; content_by_lua_block {
      for _, vars in ipairs { { unknown = 1 }, { query_string = "x" }, { known = true }, { "x" } } do
        ngx.say((select(2, pcall(ngx.location.capture, "/sub", { vars = vars })):gsub("^.-:%d+: ", "")))
      end
      ngx.print(ngx.location.capture("/sub", { vars = { known = 7, args = "b=2" }, copy_all_vars = true }).body)
      ngx.say(ngx.var.known, ngx.var.args)
    } }
    location /sub { return 200 "$known $args\n"; })lua"));
  CHECK(get(s.url("/?a=1")).body ==
        "variable \"unknown\" cannot be assigned a value (maybe you forgot to define it first?)\n"
        "variable \"query_string\" not changeable\nattempt to use bad variable value type boolean\n"
        "attempt to use a non-string key in the \"vars\" option table\n7 b=2\naa=1\n");
}

TEST_CASE("methods of a socket name themselves where they are called without it") {
  CHECK(said_by(R"lua(
    local s = ngx.socket.tcp()
    local function failure(...) ngx.say((select(2, pcall(...)):gsub("^.-:%d+: ", ""))) end
    failure(s.receive, "l") failure(s.close, 2) failure(s.send, "a", "b") failure(s.send, "a") failure(ngx.socket.udp().receive)
    ngx.say(select(2, s:connect("127.0.0.1")))
  )lua") == "bad argument #1 to 'receive' (table expected, got string)\nbad argument #1 to 'close' (table expected, got number)\n"
            "bad argument #1 to 'send' (table expected, got string)\nexpecting 2 arguments (including the object), but got 1\n"
            "bad argument #1 to 'receive' (table expected, got nil)\nmissing the port number\n");
}

TEST_CASE("what this machine refuses to connect is named in the log") {
  Server s(server(R"lua(location / { content_by_lua_block {
    local s = ngx.socket.tcp()
    ngx.say(select(2, s:connect("unix:/nowhere/at.all")))
    s:bind("192.0.2.1")
    ngx.say(select(2, s:connect("127.0.0.1", 80)))
  } })lua"));
  CHECK(get(s.url("/")).body == "no such file or directory\ncannot assign requested address\n");
  CHECK(s.wait_for_log("\\[crit\\] .*connect\\(\\) to unix:/nowhere/at.all failed \\(2: No such file or directory\\)"));
  CHECK(s.wait_for_log("\\[crit\\] .*bind\\(192.0.2.1\\) failed \\(99: "));
}

TEST_CASE("a connection that nobody wants any more is no error") {
  FullListener full;
  DnsServer dns;
  dns.ignore("silent.test");
  Server s(with_debug_log("resolver " + dns.address() + "; location / { content_by_lua_block { "
                          "local function connect(host) ngx.socket.tcp():connect(host, " + full.port() + ") end "
                          "for _, host in ipairs { '127.0.0.1', 'silent.test' } do "
                          "local thread = ngx.thread.spawn(connect, host) ngx.thread.kill(thread) end } }"));
  CHECK(get(s.url("/")).status == 200);
  CHECK(s.wait_for_log("lua tcp socket abort resolver", "debug.log"));
  CHECK(s.read("debug.log").find("[error]") == std::string::npos);
}

TEST_CASE("under compat nginx a script of access that returns lets in where satisfy is any") {
  const std::string_view denied = "location / { satisfy any; deny all; access_by_lua_block { if ngx.var.arg_in then return end ngx.exit(403) } echo in; }";
  Server ours(server(denied)), theirs(alike(denied));
  CHECK(get(theirs.url("/?in=1")).body == "in\n");
  CHECK(get(theirs.url("/")).status == 403);
  CHECK(get(ours.url("/?in=1")).status == 403);
}

TEST_CASE("a script goes to a named location with the arguments that are there") {
  Server s(server(R"(
    location / { content_by_lua_block { ngx.exec("@named?b=2", "c=3") } }
    location @named { return 200 $args; })"));
  CHECK(get(s.url("/?a=1")).body == "a=1");
}

TEST_CASE("an error that is nil has an unknown reason") {
  Server s(server("location / { header_filter_by_lua_block { error(nil) } return 204; }"));
  CHECK(get(s.url("/")).status == 500);
  CHECK(s.wait_for_log("failed to run header_filter_by_lua\\*: unknown reason"));
}

TEST_CASE("sockets are made where a script may wait") {
  Server s(server("location / { header_filter_by_lua_block { ngx.socket.tcp() } return 204; }"
                  "location /udp { header_filter_by_lua_block { ngx.socket.udp() } return 204; }"));
  CHECK(get(s.url("/")).status == 500);
  CHECK(get(s.url("/udp")).status == 500);
  CHECK(s.wait_for_log("API disabled in the context of header_filter_by_lua\\*"));
}

TEST_CASE("group 0 is no variable, and arguments that are set to nil are gone") {
  Server s(server(R"lua(location ~ ^/(.) { content_by_lua_block {
    local refused = (select(2, pcall(ngx.redirect, "\r\\\"")):gsub("^.-:%d+: ", ""))
    ngx.say(tostring(ngx.var[0]), ngx.var[1])
    ngx.var.args = nil
    ngx.say(tostring(ngx.var.args))
    ngx.say((select(2, pcall(ngx.encode_base64, "a", 0)):gsub("^.-:%d+: ", "")))
    ngx.say(refused)
  } })lua"));
  CHECK(get(s.url("/x?a=1")).body ==
        "nilx\nnil\nbad argument #2 to 'encode_base64' (boolean expected, got number)\n"
        "unsafe byte \"0x0d\" in redirect uri \"\\x0D\\x5C\\x22\"\n");
}

TEST_CASE("ngx.timer.every counts on while its function runs") {
  Server s(server(R"lua(location / { content_by_lua_block {
    local runs, third = 0, require("ngx.semaphore").new()
    ngx.timer.every(0.001, function(premature)
      runs = runs + 1
      if runs == 3 then third:post() end
      if runs == 1 and third:wait(10) and not premature then ngx.log(ngx.ERR, "runs beside itself: ", runs >= 3) end
    end)
  } })lua"));
  get(s.url("/"));
  CHECK(s.wait_for_log("runs beside itself: true"));
}

TEST_CASE("the log of who looks for mistakes names the hooks that run, and what ends before its time") {
  Server s(with_debug_log(R"lua(
    location /hooks { rewrite_by_lua_block { ngx.ctx.a = 1 } access_by_lua_block { ngx.ctx.a = 2 }
      content_by_lua_block { ngx.say(ngx.location.capture("/sub?a=1").status) }
      header_filter_by_lua_block { ngx.ctx.a = 3 } body_filter_by_lua_block { ngx.ctx.a = 4 } log_by_lua_block { ngx.ctx.a = 5 } }
    location /sub { return 204; }
    location /ends { content_by_lua_block {
      local thread = ngx.thread.spawn(function() ngx.sleep(100) end)
      ngx.thread.kill(thread)
      ngx.timer.at(100, function() end) ngx.timer.at(200, function() end)
      local s = ngx.socket.tcp()
      s:bind("127.0.0.1")
      s:connect("127.0.0.1", ngx.var.server_port)
      s:send("GET /sub HTTP/1.1\r\nHost: a\r\n\r\n")
      s:receiveany(4000)
      s:setkeepalive(1)
    } })lua"));
  get(s.url("/hooks"));
  for (const char* hook : {"rewrite handler, uri:", "access handler, uri:", "content handler, uri:", "header filter for user lua code, uri ",
                           "body filter for user lua code, uri ", "log handler, uri:"})
    CHECK(s.wait_for_log("lua " + std::string(hook) + "\"/hooks\"", "debug.log"));
  CHECK(s.wait_for_log("lua http subrequest \"/sub\\?a=1\"", "debug.log"));
  get(s.url("/ends"));
  for (const char* line : {"lua clean up the timer for pending ngx.sleep", "lua tcp socket bind ip: 127.0.0.1",
                           "lua tcp socket calling receiveany\\(\\) method to read at most 4000 bytes", "lua tcp socket keepalive max idle timeout"})
    CHECK(s.wait_for_log(line, "debug.log"));
  s.stop();
  CHECK(s.wait_for_log("lua abort pending timers", "debug.log"));
  CHECK(s.wait_for_log("lua found 2 pending timers", "debug.log"));
}

TEST_CASE("echo_client_request_headers is the head that an upstream was asked with") {
  Server s(server(R"lua(
    location / { access_by_lua_block { ngx.req.set_header("Foo", { "a", "b" }) } proxy_pass http://127.0.0.1:%%PORT_0%%/back; }
    location /back { echo -n $echo_client_request_headers; })lua"));
  const std::string head = get(s.url("/")).body;
  CHECK(head.starts_with("GET /back HTTP/1."));
  CHECK_THAT(head, ContainsSubstring("\r\nFoo: a\r\nFoo: b\r\n") && Catch::Matchers::EndsWith("\r\n\r\n"));
}

TEST_CASE("under compat nginx a failed handshake is logged at info") {
  const Certificate pair = make_certificate(std::vector<std::string>{"a.test"});
  Server s("compat nginx;\nevents {}\nhttp { server { listen 127.0.0.1:%%PORT_0%% ssl; ssl_certificate %%DIR%%/a.crt; ssl_certificate_key %%DIR%%/a.key; "
           "ssl_certificate_by_lua_block { ngx.exit(ngx.ERROR) } } }", {{"a.crt", pair.certificate}, {"a.key", pair.key}});
  RawClient c(s.port());
  CHECK_THROWS_WITH(c.start_tls(), ContainsSubstring("alert"));
  CHECK(s.wait_for_log("\\[info\\] .*SSL_do_handshake\\(\\) failed .*cert cb error"));
}
