// Libraries of OpenResty as Debian packs them, unmodified, against the servers they are for. Skipped where they are not installed.
#include "catch.h"

#include <unistd.h>

#include "e2e/curl.h"
#include "e2e/dns_server.h"
#include "e2e/probe.h"
#include "e2e/unix_peer.h"

using namespace test;

namespace {

std::string server(std::string_view inside, std::string_view outside = "") {
  std::string text("lua_package_path '/usr/share/lua/5.1/?.lua;;'; ");
  text.append(outside).append(" server { listen 127.0.0.1:%%PORT_0%%; default_type text/plain; ");
  return text.append(inside).append(" }");
}

bool is_installed(const std::string& library) {
  if (::access(("/usr/share/lua/5.1/" + library).c_str(), R_OK) == 0) return true;
  WARN("no " << library << ": skipped");
  return false;
}

}  // namespace

TEST_CASE("lua-nginx-string makes digests, random bytes and ciphers") {
  if (!is_installed("nginx/string.lua")) return;
  Server s(server(R"(
    location / { content_by_lua_block {
      local str = require "nginx.string"
      local sha = require "nginx.sha256":new()
      sha:update("a")
      ngx.say(str.to_hex(sha:final()))
      ngx.say(#require "nginx.random".bytes(8))
      local aes = require "nginx.aes":new("key")
      ngx.say(aes:decrypt(aes:encrypt("hello")))
    } })"));
  CHECK(get(s.url("/")).body == "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb\n8\nhello\n");
}

TEST_CASE("lua-resty-lrucache keeps as much as it may") {
  if (!is_installed("resty/lrucache.lua")) return;
  Server s(server(R"(
    location / { content_by_lua_block {
      for _, kind in ipairs { "resty.lrucache", "resty.lrucache.pureffi" } do
        local c = require(kind).new(2)
        c:set("a", 1) c:set("b", 2) c:set("c", 3) c:set("d", 4, 0.001)
        local since = ngx.now()
        repeat ngx.update_time() until ngx.now() > since + 0.001
        ngx.say((c:get("a")), " ", (c:get("b")), " ", (c:get("c")), " ", c:get("d"), " ", select(2, c:get("d")))
      end
    } })"));
  CHECK(get(s.url("/")).body == "nil nil 3 nil 40\nnil nil 3 nil 40\n");
}

TEST_CASE("lua-nginx-redis speaks with a Redis, in pipelines, transactions and subscriptions, over connections that are kept") {
  if (!is_installed("nginx/redis.lua")) return;
  const auto redis = start_redis();
  if (!redis) return;
  Server s(server(R"(
    location / { content_by_lua_block {
      local client = require "nginx.redis"
      local r = client:new()
      r:set_timeout(10000)
      assert(r:connect(")" + redis->address() + R"("))
      ngx.print(r:get_reused_times(), " ")
      ngx.say(r:set("dog", "an animal"), " ", r:get("dog"), " ", r:get("none") == ngx.null, " ", r:incr("n"))
      r:init_pipeline()
      r:rpush("list", "a", "b") r:lrange("list", 0, -1) r:hmset("h", { x = 1 }) r:hget("h", "x") r:del("list")
      local all = assert(r:commit_pipeline())
      ngx.say(all[1], " ", table.concat(all[2], ","), " ", all[4])
      ngx.say(r:multi(), " ", r:set("a", "b"), " ", r:exec()[1], " ", (select(2, r:set("x"))))
      local listener = client:new()
      assert(listener:connect(")" + redis->address() + R"("))
      ngx.say(listener:subscribe("news")[1], " ", r:publish("news", ("long"):rep(10000)), " ", #listener:read_reply()[3])
      listener:close()
      assert(r:set_keepalive(10000, 10))
    } })"));
  const std::string rest = "\n2 a,b 1\nOK QUEUED OK ERR wrong number of arguments for 'set' command\nsubscribe 1 40000\n";
  Curl one_loop;
  Request request;
  request.url = s.url("/");
  CHECK(one_loop.fetch(request).body == "0 OK an animal true 1" + rest);
  CHECK(one_loop.fetch(request).body == "1 OK an animal true 2" + rest);
}

TEST_CASE("lua-nginx-memcached speaks with a memcached") {
  if (!is_installed("nginx/memcached.lua")) return;
  const auto memcached = start_memcached();
  if (!memcached) return;
  Server s(server(R"(
    location / { content_by_lua_block {
      local m = assert(require "nginx.memcached":new())
      m:set_timeout(10000)
      assert(m:connect(")" + memcached->address() + R"("))
      ngx.say(m:flush_all(), " ", m:set("a b", ("x"):rep(100000), 0, 7), " ", #(m:get("a b")), " ", select(2, m:get("a b")))
      ngx.say(m:set("n", 1), m:incr("n", 5), " ", (m:get("none")), " ", select(2, m:add("n", 1)), " ", m:delete("n"))
      m:set("k", "v")
      local values = m:get({ "k", "a b" })
      ngx.say(values.k[1], " ", #values["a b"][1], " ", (m:version() or ""):match("^%d") ~= nil)
      assert(m:set_keepalive(10000, 10))
    } })"));
  CHECK(get(s.url("/")).body == "1 1 100000 7\n16 nil NOT_STORED 1\nv 100000 true\n");
}

TEST_CASE("lua-nginx-dns understands what a DNS server answers") {
  if (!is_installed("nginx/dns/resolver.lua")) return;
  DnsServer dns;
  dns.set("a.test", {"127.0.0.1", "127.0.0.2", "::1"}, 60);
  dns.set_alias("alias.test", "a.test", 60);
  const std::string address = dns.address();
  const auto colon = address.rfind(':');
  Server s(server(R"(
    location / { content_by_lua_block {
      local resolver = require "nginx.dns.resolver"
      local r = assert(resolver:new { nameservers = { { ")" + address.substr(0, colon) + "\", " + address.substr(colon + 1) + R"( } }, retrans = 2, timeout = 10000 })
      local function all(name, kind)
        local answers, list = assert(r:query(name, { qtype = kind })), {}
        for i, answer in ipairs(answers) do list[i] = answer.address or answer.cname end
        table.sort(list)
        return table.concat(list, ",") .. (answers.errcode and " error " .. answers.errcode or "")
      end
      ngx.say(all("a.test", r.TYPE_A), " ", all("a.test", r.TYPE_AAAA), " ", all("alias.test", r.TYPE_A), " ", all("none.test", r.TYPE_A))
    } })"));
  CHECK(get(s.url("/")).body == "127.0.0.1,127.0.0.2 0:0:0:0:0:0:0:1 a.test  error 3\n");
}

TEST_CASE("lua-nginx-websocket serves one, and is the client of it") {
  if (!is_installed("nginx/websocket/server.lua")) return;
  Server s(server(R"(
    location /echo { content_by_lua_block {
      local ws = assert(require "nginx.websocket.server":new { timeout = 10000, max_payload_len = 100000 })
      while true do
        local data, kind = ws:recv_frame()
        if not data or kind == "close" then return ws:send_close() end
        if kind == "ping" then ws:send_pong(data) else ws:send_text(kind .. " " .. data) end
      end
    } }
    location / { content_by_lua_block {
      local c = assert(require "nginx.websocket.client":new { max_payload_len = 200000, timeout = 10000 })
      assert(c:connect("ws://127.0.0.1:" .. ngx.var.server_port .. "/echo"))
      assert(c:send_text("hello"))
      ngx.say((c:recv_frame()))
      assert(c:send_binary(("x"):rep(70000)))
      ngx.say(#(c:recv_frame()))
      assert(c:send_ping("p"))
      ngx.say((select(2, c:recv_frame())))
      c:send_close()
      ngx.say((select(2, c:recv_frame())))
      c:close()
    } })"));
  CHECK(get(s.url("/")).body == "text hello\n70007\npong\nclose\n");
}
