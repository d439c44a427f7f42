// server ... resolve: names of upstream servers that are asked for again and again.
#include <set>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/dns_server.h"
#include "e2e/server.h"
#include "e2e/timing.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

// Whoever is asked at port 1 says under which address.
const std::string kBackend =
    "server { listen 127.0.0.1:%%PORT_1%%; listen 127.0.0.2:%%PORT_1%%; listen 127.0.0.3:%%PORT_1%%; return 200 $server_addr; } ";

std::string site(const DnsServer& dns, const std::string& block, const std::string& more = {}) {
  return "resolver " + dns.address() + " ipv6=off; resolver_timeout 5s; upstream u { " + block + " } " + kBackend +
         "server { listen 127.0.0.1:%%PORT_0%%; location / { proxy_pass http://u; } " + more + "}";
}

// For records that name the port: they must be there before the server asks, which keeps "no such name" for a while.
std::string at_port(std::string text, int port) {
  const std::string mark = "%%PORT_1%%";
  for (auto at = text.find(mark); at != text.npos; at = text.find(mark)) text.replace(at, mark.size(), std::to_string(port));
  return text;
}

bool becomes(const Server& s, const std::string& body) { return wait_until([&] { return get(s.url("/")).body == body; }); }

}  // namespace

TEST_CASE("a group follows the addresses of a name, from its first request on") {
  DnsServer dns;
  dns.set("app.test", {"127.0.0.1"}, 0);
  Server s(site(dns, "server app.test:%%PORT_1%% resolve;"));
  CHECK(get(s.url("/")).body == "127.0.0.1");
  dns.set("app.test", {"127.0.0.2"}, 0);
  CHECK(becomes(s, "127.0.0.2"));
  CHECK(get(s.url("/")).body == "127.0.0.2");
  dns.set("app.test", {"127.0.0.2", "127.0.0.3"}, 600);
  CHECK(becomes(s, "127.0.0.3"));
  const std::set<std::string> seen = {get(s.url("/")).body, get(s.url("/")).body};
  CHECK(seen == std::set<std::string>{"127.0.0.2", "127.0.0.3"});
}

TEST_CASE("where nobody can say the addresses, the group stays as it was, and where there are none, it has none") {
  DnsServer dns;
  dns.set("app.test", {"127.0.0.1"}, 0);
  Server s(site(dns, "server app.test:%%PORT_1%% resolve; resolver_timeout 1s; resolver " + dns.address() + " valid=1s ipv6=off;"));
  CHECK(get(s.url("/")).body == "127.0.0.1");
  dns.fail("app.test", 2);
  CHECK(s.wait_for_log("app.test could not be resolved \\(2: Server failure\\)"));
  CHECK(get(s.url("/")).body == "127.0.0.1");
  dns.set("app.test", {}, 0);
  CHECK(wait_until([&] { return get(s.url("/")).status == 502; }));
  CHECK_THAT(s.error_log(), ContainsSubstring("no live upstreams"));
  dns.set("app.test", {"127.0.0.3"}, 0);
  CHECK(becomes(s, "127.0.0.3"));
}

TEST_CASE("a name beside fixed servers is one of them") {
  DnsServer dns;
  dns.set("app.test", {"127.0.0.2"}, 600);
  Server s(site(dns, "server 127.0.0.1:%%PORT_1%%; server app.test:%%PORT_1%% resolve; resolver " + dns.address() + ";"));
  std::set<std::string> seen;
  CHECK(wait_until([&] { return seen.insert(get(s.url("/")).body), seen.size() == 2; }));
}

TEST_CASE("a service: hosts with ports and weights, those of a later priority as backups") {
  DnsServer dns;
  const int port = free_port();
  dns.set("a.test", {"127.0.0.1"}, 600);
  dns.set("b.test", {"127.0.0.2"}, 600);
  dns.set("c.test", {"127.0.0.3"}, 600);
  dns.set_service("_w._tcp.app.test", {{1, 3, port, "a.test"}, {1, 1, port, "b.test"}}, 600);
  dns.set_service("_http._tcp.app.test", {{1, 1, port, "a.test"}, {2, 1, port, "b.test"}}, 0);
  Server s(at_port(site(dns, "server app.test service=http resolve;", "location /weighted { proxy_pass http://w; }") +
                       " upstream w { zone w 64k; server app.test service=_w._tcp resolve weight=1; }", port));
  CHECK(becomes(s, "127.0.0.1"));
  for (int i = 0; i < 4; ++i) CHECK(get(s.url("/")).body == "127.0.0.1");
  dns.set_service("_http._tcp.app.test", {{1, 1, 1, "a.test"}, {2, 1, port, "c.test"}}, 0);  // nobody is at port 1
  CHECK(becomes(s, "127.0.0.3"));
  CHECK(wait_until([&] { return get(s.url("/weighted")).status == 200; }));
  int first = 0;
  for (int i = 0; i < 8; ++i) first += get(s.url("/weighted")).body == "127.0.0.1";
  CHECK(first == 6);
}

TEST_CASE("the consistent hash knows addresses that come and go") {
  DnsServer dns;
  dns.set("app.test", {"127.0.0.1"}, 0);
  Server s(site(dns, "hash $arg_k consistent; server app.test:%%PORT_1%% resolve;"));
  CHECK(get(s.url("/?k=1")).body == "127.0.0.1");
  dns.set("app.test", {"127.0.0.2"}, 600);
  CHECK(becomes(s, "127.0.0.2"));
}

TEST_CASE("after a reload the addresses are known at once, where a zone keeps them") {
  DnsServer dns;
  dns.set("app.test", {"127.0.0.2"}, 600);
  Server s(site(dns, "zone u 64k; server app.test:%%PORT_1%% resolve;"));
  CHECK(get(s.url("/")).body == "127.0.0.2");
  dns.fail("app.test", 2);
  s.reload();
  CHECK(get(s.url("/")).body == "127.0.0.2");
}

TEST_CASE("mistakes of resolve are named") {
  const auto [block, message] = GENERATE(table<std::string, std::string>(
      {{"server app.test resolve;", "no resolver defined to resolve names at run time in upstream \"u\""},
       {"server app.test service=http;", "service upstream \"app.test\" requires \"resolve\" parameter"},
       {"server app.test:80 service=http resolve;", "service upstream \"app.test:80\" may not have port"},
       {"server 127.0.0.1 service=http resolve;", "service upstream \"127.0.0.1\" requires domain name"},
       {"server app.test service= resolve;", "service is empty"},
       {"zone u; server 127.0.0.1;", "zero size shared memory zone \"u\""},
       {"resolver 127.0.0.1; resolver 127.0.0.1; server a;", "\"resolver\" directive is duplicate"}}));
  const Run run = check_config("upstream u { " + block + " } server { location / { proxy_pass http://u; } }");
  CHECK(run.exit_code == 1);
  CHECK_THAT(run.err, ContainsSubstring(message));
}
