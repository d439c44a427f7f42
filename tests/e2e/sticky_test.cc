// sticky, and the other parameters of servers: drain, slow_start; least_time.
#include <atomic>
#include <set>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/server.h"
#include "e2e/timing.h"
#include "e2e/upstream.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

const std::string kBackends =
    "server { listen 127.0.0.1:%%PORT_1%%; add_header Set-Cookie sid=$arg_sid; return 200 a; } "
    "server { listen 127.0.0.1:%%PORT_2%%; add_header Set-Cookie sid=$arg_sid; return 200 b; } ";

std::string site(const std::string& block, const std::string& a = {}, const std::string& b = {}) {
  return "upstream u { zone u 64k; " + block + " server 127.0.0.1:%%PORT_1%% " + a + "; server 127.0.0.1:%%PORT_2%% " + b + "; } " +
         kBackends + "server { listen 127.0.0.1:%%PORT_0%%; location / { proxy_pass http://u; proxy_hide_header X; } }";
}

std::string ask(const Server& s, const std::string& path, const std::string& cookie = {}) {
  return get(s.url(path), cookie.empty() ? std::vector<std::string>() : std::vector<std::string>{"Cookie: " + cookie}).body;
}

// The Set-Cookie that begins so.
std::string cookie_of(const Response& response, std::string_view name) {
  for (const auto& [field, value] : response.headers)
    if (field == "Set-Cookie" && value.starts_with(name)) return value;
  return {};
}

}  // namespace

TEST_CASE("sticky cookie brings a client back to its server") {
  Server s(site("sticky cookie srv expires=1h domain=.a.test httponly secure samesite=lax path=/x;"));
  const Response first = get(s.url("/"));
  const std::string set = cookie_of(first, "srv=");
  const std::string pair = set.substr(0, set.find(';'));
  CHECK(pair.size() == 4 + 32);
  CHECK_THAT(set, ContainsSubstring("; max-age=3600; domain=.a.test; httponly; secure; samesite=lax; path=/x"));
  for (int i = 0; i < 6; ++i) CHECK(ask(s, "/", pair) == first.body);
  std::set<std::string> others;
  for (int i = 0; i < 4; ++i) others.insert(ask(s, "/", "srv=nobody"));
  CHECK(others.size() == 2);
}

TEST_CASE("sticky cookie: another server answers where the client's is not there") {
  Server s(site("sticky cookie srv;", "", "route=b") + "server { listen 127.0.0.1:%%PORT_3%%; location / { proxy_pass http://gone; } } "
           "upstream gone { sticky cookie srv; server 127.0.0.1:1 route=gone; server 127.0.0.1:%%PORT_2%% route=here; }");
  CHECK(ask(s, "/", "srv=b") == "b");
  const Response moved = get(s.url("/", 3), {"Cookie: srv=gone"});
  CHECK(moved.body == "b");
  CHECK(cookie_of(moved, "srv=") == "srv=here");
}

TEST_CASE("sticky route goes by what the request says") {
  Server s(site("sticky route $cookie_r $arg_r;", "route=one", "route=two"));
  for (int i = 0; i < 4; ++i) {
    CHECK(ask(s, "/?r=two") == "b");
    CHECK(ask(s, "/?r=two", "r=one") == "a");
  }
  CHECK(get(s.url("/?r=one")).count("Set-Cookie") == 1);  // the server's own
}

TEST_CASE("sticky learn remembers what a server has given") {
  const auto when = GENERATE("", "header");
  Server s(site(std::string("sticky learn create=$upstream_cookie_sid lookup=$cookie_sid zone=sessions:1m ") + when + ";"));
  const std::string first = ask(s, "/?sid=1");
  for (int i = 0; i < 6; ++i) CHECK(ask(s, "/?sid=", "sid=1") == first);
  s.reload();
  for (int i = 0; i < 6; ++i) CHECK(ask(s, "/?sid=", "sid=1") == first);
}

TEST_CASE("a server that drains has only those who stick to it") {
  Server s(site("sticky route $arg_r;", "route=one drain", "route=two"));
  for (int i = 0; i < 4; ++i) {
    CHECK(ask(s, "/") == "b");
    CHECK(ask(s, "/?r=one") == "a");
  }
}

TEST_CASE("a server that is back starts slowly") {
  std::atomic<bool> well = false;
  std::atomic<int> served = 0;
  Upstream up([&](RawClient& c) {
    c.read_until("\r\n\r\n");
    if (well) ++served;
    c.send(well ? "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nb"
                : "HTTP/1.1 500 Bad\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  });
  Server s("upstream u { zone u 64k; server 127.0.0.1:%%PORT_1%%; server 127.0.0.1:" + std::to_string(up.port()) +
           " fail_timeout=1s slow_start=1h; } " + "server { listen 127.0.0.1:%%PORT_1%%; return 200 a; }"
           "server { listen 127.0.0.1:%%PORT_0%%; location / { proxy_pass http://u; proxy_next_upstream error http_500; } }");
  CHECK(wait_until([&] { return get(s.url("/")).body == "a" && up.connections() > 0; }));
  well = true;
  CHECK(wait_until([&] { return get(s.url("/")).body == "b"; }));
  for (int i = 0; i < 20; ++i) CHECK(get(s.url("/")).body == "a");
  CHECK(served == 1);
}

TEST_CASE("least_time asks the server that answers sooner") {
  const auto mode = GENERATE("header", "last_byte", "header inflight", "last_byte inflight");
  Server s(std::string("limit_req_zone $server_port zone=slow:1m rate=3r/s; upstream u { zone u 64k; least_time ") + mode +
           "; server 127.0.0.1:%%PORT_1%%; server 127.0.0.1:%%PORT_2%%; } " + "server { listen 127.0.0.1:%%PORT_1%%; return 200 a; } "
           "server { listen 127.0.0.1:%%PORT_2%%; location / { limit_req zone=slow burst=50; root %%DIR%%; } } "
           "server { listen 127.0.0.1:%%PORT_0%%; location / { proxy_pass http://u/f; } }",
           {{"f", "b"}});
  // The other one's time is known after its second request, which waits.
  int slow = 0;
  for (int i = 0; i < 40; ++i) slow += get(s.url("/")).body == "b";
  CHECK(slow > 0);
  CHECK(slow < 10);
}

TEST_CASE("mistakes of sticky, least_time and their kin are named") {
  const auto [block, message] = GENERATE(table<std::string, std::string>(
      {{"sticky cookie '';", "\"sticky\" directive empty cookie name"},
       {"sticky cookie a httponly httponly;", "\"sticky\" directive parameter \"httponly\" is duplicate"},
       {"sticky cookie a samesite=maybe;", "\"sticky\" directive invalid \"samesite\" parameter value"},
       {"sticky cookie a fast;", "unknown parameter \"fast\""},
       {"sticky magic a;", "unknown parameter \"magic\""},
       {"sticky route a;", "invalid variable name \"a\""},
       {"sticky learn lookup=$arg_a;", "\"sticky\" directive \"create\" parameter is not specified"},
       {"sticky learn lookup=$arg_a create=$arg_a;", "\"sticky\" directive \"zone\" parameter is not specified"},
       {"sticky route $arg_a; sticky route $arg_a;", "\"sticky\" directive is duplicate"},
       {"server 127.0.0.1 route=;", "route is empty"},
       {"server 127.0.0.1 route=0123456789012345678901234567890123;", "route is longer than 32"},
       {"ip_hash; server 127.0.0.1 slow_start=1s;", "balancing method does not support parameter \"slow_start\""},
       {"least_time soon;", "invalid value \"soon\""},
       {"random two most_time;", "invalid parameter \"most_time\""}}));
  const Run run = check_config("upstream u { " + block + " server 127.0.0.1; } server { location / { proxy_pass http://u; } }");
  CHECK(run.exit_code == 1);
  CHECK_THAT(run.err, ContainsSubstring(message));
}
