// The hooks of plugins/lua, as their first lines say how they are configured; and the examples of its page.
#include "catch.h"

#include <unistd.h>

#include <openssl/hmac.h>

#include "e2e/curl.h"
#include "e2e/paths.h"
#include "e2e/probe.h"

using namespace test;

namespace {

std::string server(std::string_view inside, std::string_view outside = "") {
  std::string text("lua_package_path '" + tests_path() + "/../plugins/lua/?.lua;;'; ");
  text.append(outside).append(" server { listen 127.0.0.1:%%PORT_0%%; default_type text/plain; ");
  return text.append(inside).append(" }");
}

const std::string kSecret = "0123456789abcdef0123456789abcdef";

std::string base64url(std::string_view bytes) {
  std::string coded((bytes.size() + 2) / 3 * 4 + 1, '\0');
  coded.resize(static_cast<std::size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(coded.data()),
                                                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()))));
  while (coded.ends_with('=')) coded.pop_back();
  for (char& c : coded) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return coded;
}

std::string token(const std::string& head, const std::string& claims, const std::string& secret = kSecret) {
  const std::string text = base64url(head) + "." + base64url(claims);
  unsigned char out[32];
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), reinterpret_cast<const unsigned char*>(text.data()), text.size(), out, &size);
  return text + "." + base64url({reinterpret_cast<const char*>(out), size});
}

}  // namespace

TEST_CASE("the hook token_check lets in who has a token that we have signed and that is still good") {
  if (::access("/usr/lib/x86_64-linux-gnu/lua/5.1/cjson.so", R_OK) != 0 && ::access("/usr/lib/aarch64-linux-gnu/lua/5.1/cjson.so", R_OK) != 0) return;
  Server s(server("location / { access_by_lua_block { require('token_check').check('" + kSecret +
                  "') } content_by_lua_block { ngx.say(ngx.ctx.claims.sub) } }"));
  const auto ask = [&](const std::string& value) { return get(s.url("/"), {"Authorization: Bearer " + value}); };
  const std::string head = R"({"alg":"HS256","typ":"JWT"})";
  CHECK(ask(token(head, R"({"sub":"ada","exp":9999999999})")).body == "ada\n");
  const Response none = get(s.url("/"));
  CHECK(none.status == 401);
  CHECK(none.header("WWW-Authenticate") == "Bearer");
  CHECK(ask("x.y.z").header("WWW-Authenticate") == R"(Bearer error="invalid_token")");
  for (const std::string& bad : {token(R"({"alg":"none"})", R"({"sub":"ada","exp":9999999999})"), token(head, R"({"sub":"ada","exp":1})"),
                                 token(head, R"({"sub":"ada"})"), token(head, R"({"sub":"ada","exp":9999999999,"nbf":9999999998})"),
                                 token(head, R"({"sub":"ada","exp":9999999999})", "another secret of thirty-two bytes"),
                                 token(head, "no object"), token("[", R"({"exp":9999999999})"), std::string("a.b")})
    CHECK(ask(bad).status == 401);
}

TEST_CASE("the hook token_bucket lets so many through at once, and tells the next when to come again") {
  Server s(server("location / { access_by_lua_block { require('token_bucket').take('buckets', ngx.var.arg_key, 0.01, 3) } content_by_lua_block { ngx.say('in') } }",
                  "lua_shared_dict buckets 1m;"));
  for (int i = 0; i < 3; ++i) CHECK(get(s.url("/?key=a")).status == 200);
  const Response full = get(s.url("/?key=a"));
  CHECK(full.status == 429);
  CHECK(std::stoi(full.header("Retry-After")) <= 100);
  CHECK(get(s.url("/?key=b")).status == 200);
}

TEST_CASE("the hook token_bucket gives back what time has brought, and no more than it holds") {
  Server s(server(R"(location / { content_by_lua_block {
    local try, d = require("token_bucket").try, ngx.shared.buckets
    ngx.say(try(d, "k", 1, 2, 100), try(d, "k", 1, 2, 100), (try(d, "k", 1, 2, 100)))
    ngx.say((try(d, "k", 1, 2, 101)), (try(d, "k", 1, 2, 101)))
    ngx.say((try(d, "k", 1, 2, 900)), (try(d, "k", 1, 2, 900)), (try(d, "k", 1, 2, 900)))
  } })", "lua_shared_dict buckets 1m;"));
  CHECK(get(s.url("/")).body == "truetruefalse\ntruefalse\ntruetruefalse\n");
}

TEST_CASE("the hook split gives a client a variant, and leaves it that") {
  Server s(server(R"(
    location / { set $variant ""; rewrite_by_lua_block { ngx.var.variant = require("split").choose("v", tonumber(ngx.var.arg_percent)) }
      content_by_lua_block { ngx.print(ngx.var.variant) } })"));
  const auto with = [&](const std::string& percent, std::vector<std::string> headers = {}) { return get(s.url("/?percent=" + percent), headers); };
  const Response a = with("0"), b = with("100");
  CHECK(a.body == "a");
  CHECK(a.header("Set-Cookie").starts_with("v=a; Path=/"));
  CHECK(b.body == "b");
  const Response again = with("100", {"Cookie: v=a"});
  CHECK(again.body == "a");
  CHECK(again.count("Set-Cookie") == 0);
  CHECK(with("0", {"Cookie: v=x"}).body == "a");
}

TEST_CASE("the page for newcomers begins with what works") {
  Server s(server(R"(
    location /hello { content_by_lua_block { ngx.say("Hello, ", ngx.var.arg_name or "world", "!") } }
    location /one { return 200 one; }
    location /two { return 200 two; }
    location /both { content_by_lua_block {
      local a, b = ngx.location.capture_multi { { "/one" }, { "/two" } }
      ngx.say(a.body, b.body)
    } }
    location /count { content_by_lua_block { ngx.say((ngx.shared.hits:incr("all", 1, 0))) } })", "lua_shared_dict hits 1m;"));
  CHECK(get(s.url("/hello?name=Ada")).body == "Hello, Ada!\n");
  CHECK(get(s.url("/both")).body == "onetwo\n");
  CHECK(get(s.url("/count")).body == "1\n");
}
