// Libraries of OpenResty as Debian packs them, unmodified, against the servers they are for. Skipped where they are not installed.
#include "catch.h"

#include <unistd.h>

#include "e2e/curl.h"
#include "e2e/probe.h"

using namespace test;

namespace {

std::string server(std::string_view inside) {
  std::string text("lua_package_path '/usr/share/lua/5.1/?.lua;;'; server { listen 127.0.0.1:%%PORT_0%%; default_type text/plain; ");
  return text.append(inside).append(" }");
}

bool is_installed(const std::string& library) { return ::access(("/usr/share/lua/5.1/" + library).c_str(), R_OK) == 0; }

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

TEST_CASE("lua-resty-lrucache and cjson run as they are") {
  if (!is_installed("resty/lrucache.lua")) return;
  Server s(server(R"(
    location / { content_by_lua_block {
      local c = require "resty.lrucache".new(2)
      c:set("a", 1) c:set("b", 2) c:set("c", 3)
      ngx.say((c:get("a")), " ", (c:get("b")), " ", (c:get("c")))
    } })"));
  CHECK(get(s.url("/")).body == "nil 2 3\n");
}

