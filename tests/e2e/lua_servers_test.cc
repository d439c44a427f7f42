// Scripts and TLS (ngx.ssl), and what bounds scripts.
#include "catch.h"

#include "e2e/certificate.h"
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

Files pairs() {
  const Certificate other = make_certificate(std::vector<std::string>{"default"}), ours = make_certificate(std::vector<std::string>{"a.test"});
  return {{"default.crt", other.certificate}, {"default.key", other.key}, {"a.crt", ours.certificate}, {"a.key", ours.key}};
}

}  // namespace

TEST_CASE("a cosocket shows its own certificate") {
  const Certificate authority = make_certificate(std::vector<std::string>{"authority"});
  CertificateOptions friendly;
  friendly.names = {"friend"};
  friendly.issuer = &authority;
  const Certificate own = make_certificate(friendly);
  Files files = pairs();
  files.insert(files.end(), {{"ca.crt", authority.certificate}, {"own.crt", own.certificate}, {"own.key", own.key}});
  Server s(server(R"(
    location / { content_by_lua_block {
      local ssl = require "ngx.ssl"
      local function read(name) local f = assert(io.open(ngx.config.prefix() .. name)) local text = f:read("*a") f:close() return text end
      local s = ngx.socket.tcp()
      ngx.say(select(2, s:setclientcert(ssl.parse_pem_cert(read("own.crt")))))
      assert(s:setclientcert(ssl.parse_pem_cert(read("own.crt")), ssl.parse_pem_priv_key(read("own.key"))))
      assert(s:connect("127.0.0.1", %%PORT_1%%))
      assert(s:sslhandshake(nil, "default"))
      s:send("GET / HTTP/1.0\r\n\r\n")
      ngx.say((s:receive("*a"):match("\r\n\r\n(.*)$")))
    } })") + " server { listen 127.0.0.1:%%PORT_1%% ssl; ssl_certificate %%DIR%%/default.crt; ssl_certificate_key %%DIR%%/default.key;"
           " ssl_verify_client on; ssl_client_certificate %%DIR%%/ca.crt; location / { return 200 $ssl_client_verify; } }", files);
  CHECK(get(s.url("/")).body == "client certificate without its private key\nSUCCESS\n");
}

TEST_CASE("a script asks about its connection, and reads certificates") {
  Server s(" server { listen 127.0.0.1:%%PORT_0%% ssl; ssl_certificate %%DIR%%/default.crt; ssl_certificate_key %%DIR%%/default.key;" R"(
    location / { content_by_lua_block {
      local ssl = require "ngx.ssl"
      local function read(name) local f = assert(io.open(ngx.config.prefix() .. name)) local text = f:read("*a") f:close() return text end
      local address, family = ssl.raw_client_addr()
      ngx.say(ssl.server_name(), " ", ssl.get_tls1_version_str(), " ", ssl.get_tls1_version() == ssl.TLS1_3_VERSION, " ", family, " ", address:byte(), " ",
        tostring((ssl.server_port())) == ngx.var.server_port)
      ngx.say(ssl.cert_pem_to_der(read("a.crt")):byte(), " ", ssl.priv_key_pem_to_der(read("a.key")):byte())
      ngx.say(ssl.parse_pem_cert("x"), ssl.parse_pem_priv_key("x") == nil, " ", (select(2, pcall(ssl.set_cert)):match("API.*")))
    } } })", pairs());
  RawClient c(s.port());
  c.start_tls();
  c.send("GET / HTTP/1.0\r\nHost: localhost\r\n\r\n");
  CHECK(c.read_response().body == "localhost TLSv1.3 true inet 127 true\n48 48\nniltrue API disabled in the context of content_by_lua*\n");
}

TEST_CASE("a script moves its deadline") {
  Server s(server(R"(
    handler_timeout 30s;
    location / { content_by_lua_block { seawall.deadline(0.01) require "ngx.semaphore".new():wait(3600) } }
    location /bad { content_by_lua_block { ngx.say(pcall(seawall.deadline, 0/0)) ngx.say((pcall(seawall.deadline, -1))) } })"));
  CHECK(get(s.url("/")).status == 503);
  CHECK(s.wait_for_log("handler timed out"));
  CHECK_THAT(get(s.url("/bad")).body, ContainsSubstring("more than 0 expected"));
}

TEST_CASE("a script that never ends is ended, whatever it catches, and nobody else suffers") {
  Server s(server(R"(
    location / { content_by_lua_block { while true do end } }
    location /pcall { content_by_lua_block { while true do pcall(function() while true do end end) end } }
    location /filter { header_filter_by_lua_block { while true do end } return 200 a; }
    location /coroutine { content_by_lua_block { local co = coroutine.wrap(function() while true do end end) while true do pcall(co) end } }
    location /fine { content_by_lua_block { for i = 1, 100 do ngx.location.capture("/part") end ngx.say("fine") } }
    location /part { return 204; })",
                  "lua_jit off; lua_cpu_budget 50ms;"));
  for (const char* path : {"/", "/pcall", "/filter", "/coroutine"}) {
    CHECK(get(s.url(path)).status == 500);
    CHECK(get(s.url("/fine")).body == "fine\n");
  }
  CHECK(s.wait_for_log("lua entry thread aborted: runtime error: content_by_lua.*lua_cpu_budget is used up.*stack traceback"));
}

TEST_CASE("a script that the JIT compiler has made uninterruptible costs its worker, which another one replaces") {
  Server s(server("location / { content_by_lua_block { local x = 0 while true do x = x + 1 end } } location /fine { return 200 fine; }",
                  "lua_cpu_budget 50ms;"));
  s.allow("Lua has held a loop for [0-9]+ ms, and cannot be interrupted .*: a new worker is asked for");
  s.allow("Lua still holds a loop: the worker ends");
  s.allow("exited with code 2");
  RawClient c(s.port());
  c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  REQUIRE(s.wait_for_log("a new worker is asked for"));
  CHECK(get(s.url("/fine")).body == "fine");
  CHECK(c.expect_close(std::chrono::seconds(60)));
}

TEST_CASE("lua_memory_limit bounds what a script may have, and nothing else") {
  Server s(server(R"(
    location / { content_by_lua_block {
      ngx.say(pcall(function() local t = {} for i = 1, 1e6 do t[i] = ("x"):rep(1000) .. i end end))
      collectgarbage()
      ngx.say(#("y"):rep(100000))
    } })", "lua_memory_limit 16m;"));
  CHECK(get(s.url("/")).body == "falsenot enough memory\n100000\n");
}

TEST_CASE("with lua_code_cache off each request reads modules and files anew") {
  Server s(server(R"(
    lua_code_cache off;
    location /module { content_by_lua_block { ngx.say(require("m").value) count = (count or 0) + 1 ngx.say(count) } }
    location /file { content_by_lua_file c.lua; })", "lua_package_path '%%DIR%%/?.lua;;';"),
           {{"m.lua", "return { value = 1 }"}, {"c.lua", "ngx.say('one')"}});
  s.allow("lua_code_cache is off");
  CHECK(get(s.url("/module")).body == "1\n1\n");
  CHECK(get(s.url("/file")).body == "one\n");
  s.file("m.lua", "return { value = 2 }");
  s.file("c.lua", "ngx.say('two')");
  CHECK(get(s.url("/module")).body == "2\n1\n");
  CHECK(get(s.url("/file")).body == "two\n");
}
