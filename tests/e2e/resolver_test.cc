// The directives resolver and resolver_timeout: upstreams whose names are looked up when a request needs them.
#include <thread>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/dns_server.h"
#include "e2e/fastcgi_peer.h"
#include "e2e/server.h"
#include "e2e/upstream.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string server(std::string_view inside) {
  return std::string("server { listen 127.0.0.1:%%PORT_0%%; ").append(inside).append(" }");
}

std::string site(const DnsServer& dns, const Upstream& up, const std::string& more = "") {
  return server("resolver " + dns.address() + more + "; location / { proxy_pass http://$arg_host:" + std::to_string(up.port()) + "/at; }");
}

void answer(RawClient& c) {
  const std::string head = c.read_until("\r\n\r\n");
  const std::string body = head.substr(0, head.find('\r'));
  c.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" + body);
}

}  // namespace

TEST_CASE("a name in a variable is looked up, and kept as long as its TTL says") {
  DnsServer dns;
  dns.set("app.test", {"127.0.0.1"}, 600);
  Upstream up(answer);
  Server s(site(dns, up));
  CHECK(get(s.url("/?host=app.test")).body == "GET /at HTTP/1.1");
  const int asked = dns.questions();
  CHECK(asked == 2);  // A and AAAA
  CHECK(get(s.url("/?host=APP.test")).status == 200);
  CHECK(dns.questions() == asked);
}

TEST_CASE("what has no time to live is asked for each time, and valid= says otherwise") {
  const auto [more, grows] = GENERATE(table<std::string, bool>({{"", true}, {" valid=60s", false}}));
  DnsServer dns;
  dns.set("app.test", {"127.0.0.1"}, 0);
  Upstream up(answer);
  Server s(site(dns, up, more));
  CHECK(get(s.url("/?host=app.test")).status == 200);
  const int asked = dns.questions();
  CHECK(get(s.url("/?host=app.test")).status == 200);
  CHECK((dns.questions() > asked) == grows);
}

TEST_CASE("ipv4=off and ipv6=off ask for one kind of address only") {
  const auto [more, status] = GENERATE(table<std::string, int>({{" ipv6=off", 200}, {" ipv4=off", 502}}));
  DnsServer dns;
  dns.set("app.test", {"127.0.0.1"}, 60);
  Upstream up(answer);
  Server s(site(dns, up, more));
  CHECK(get(s.url("/?host=app.test")).status == status);
  CHECK(dns.questions() == 1);
}

TEST_CASE("aliases are followed where the answer says nothing of their target, and have a time to live, too") {
  DnsServer dns;
  dns.set_alias("www.test", "app.test", 0);
  dns.set_alias("app.test", "host.test", 600);
  dns.set("host.test", {"127.0.0.1"}, 600);
  dns.set_alias("loop.test", "loop.test", 600);
  Upstream up(answer);
  Server s(site(dns, up, " ipv6=off"));
  CHECK(get(s.url("/?host=www.test")).status == 200);
  CHECK(dns.questions() == 3);
  CHECK(get(s.url("/?host=www.test")).status == 200);
  CHECK(dns.questions() == 6);
  CHECK(get(s.url("/?host=loop.test")).status == 502);
}

TEST_CASE("localhost is a name like others") {
  DnsServer dns;
  dns.set("localhost", {"127.0.0.1"}, 60);
  Upstream up(answer);
  Server s(site(dns, up));
  CHECK(get(s.url("/?host=localhost")).status == 200);
  CHECK(dns.questions() == 2);
}

TEST_CASE("of several addresses one that works is found") {
  DnsServer dns;
  dns.set("app.test", {"127.0.0.2", "127.0.0.1", "127.0.0.3"}, 60);
  Upstream up(answer);
  Server s(site(dns, up));
  for (int i = 0; i < 6; ++i) CHECK(get(s.url("/?host=app.test")).status == 200);
}

TEST_CASE("an answer that has just come is taken in its order, IPv4 first") {
  DnsServer dns;
  dns.set("app.test", {"::1", "127.0.0.3", "127.0.0.2", "127.0.0.4", "127.0.0.1"}, 0);
  Upstream up(answer);
  Server s("add_header X-Asked $upstream_addr; " + site(dns, up));
  const std::string port = ":" + std::to_string(up.port());
  const std::string all = "127.0.0.3" + port + ", 127.0.0.2" + port + ", 127.0.0.4" + port + ", 127.0.0.1" + port;
  for (int i = 0; i < 8; ++i) CHECK(get(s.url("/?host=app.test")).header("X-Asked") == all);
}

TEST_CASE("a name that cannot be resolved is a 502, with the reason in the log") {
  DnsServer dns;
  dns.fail("refused.test", 5);
  dns.fail("broken.test", 2);
  Upstream up(answer);
  Server s(site(dns, up));
  CHECK(get(s.url("/?host=none.test")).status == 502);
  CHECK(get(s.url("/?host=refused.test")).status == 502);
  CHECK(get(s.url("/?host=broken.test")).status == 502);
  CHECK(get(s.url("/?host=a..b")).status == 502);
  CHECK_THAT(s.error_log(), ContainsSubstring("none.test could not be resolved (3: Host not found)"));
  CHECK_THAT(s.error_log(), ContainsSubstring("refused.test could not be resolved (5: Operation refused)"));
  CHECK_THAT(s.error_log(), ContainsSubstring("broken.test could not be resolved (2: Server failure)"));
  CHECK_THAT(s.error_log(), ContainsSubstring("a..b could not be resolved (3: Host not found)"));
  CHECK(up.connections() == 0);
}

TEST_CASE("a name server that fails leaves the name to the next one") {
  DnsServer broken, works;
  broken.fail("app.test", 2);
  works.set("app.test", {"127.0.0.1"}, 0);
  Upstream up(answer);
  Server s(server("resolver " + broken.address() + " " + works.address() + "; location / { proxy_pass http://$arg_host:" +
                  std::to_string(up.port()) + "; }"));
  for (int i = 0; i < 4; ++i) CHECK(get(s.url("/?host=app.test")).status == 200);
  CHECK(broken.questions() > 0);
}

TEST_CASE("a resolver that is silent costs resolver_timeout, and others nothing") {
  DnsServer dns;
  dns.ignore("silent.test");
  dns.set("app.test", {"127.0.0.1"}, 60);
  Upstream up(answer);
  Server s("resolver_timeout 300ms; " + site(dns, up));
  CHECK(get(s.url("/?host=silent.test")).status == 502);
  CHECK_THAT(s.error_log(), ContainsSubstring("silent.test could not be resolved (110: Operation timed out)"));
  CHECK(get(s.url("/?host=app.test")).status == 200);
}

TEST_CASE("a client that leaves ends its wait for a name, and the server its own") {
  DnsServer dns;
  dns.ignore("silent.test");
  Upstream up(answer);
  Server s("access_log %%DIR%%/a.log combined; " + site(dns, up));
  {
    RawClient c(s.port());
    c.send("GET /?host=silent.test HTTP/1.1\r\nHost: x\r\n\r\n");
    while (dns.questions() == 0) std::this_thread::yield();
  }
  CHECK(s.wait_for_log("silent.test.* 499 ", "a.log"));
}

TEST_CASE("FastCGI finds its server by name, too") {
  DnsServer dns;
  dns.set("php.test", {"127.0.0.1"}, 60);
  Upstream peer([](RawClient& c) {
    read_fastcgi(c);
    c.send(fastcgi_response("Content-Type: text/plain\r\n\r\nby name"));
  });
  Server s(server("resolver " + dns.address() + "; set $name php.test; location / { fastcgi_pass $name:" + std::to_string(peer.port()) +
                  "; fastcgi_param SCRIPT_NAME /x; }"));
  CHECK(get(s.url("/")).body == "by name");
}

TEST_CASE("mistakes of resolver are named") {
  const auto [line, message] = GENERATE(table<std::string, std::string>(
      {{"resolver valid=1s;", "no name servers defined"},
       {"resolver 127.0.0.1 valid=x;", "invalid parameter: valid=x"},
       {"resolver 127.0.0.1 ipv6=maybe;", "invalid parameter: ipv6=maybe"},
       {"resolver 127.0.0.1 ipv4=off ipv6=off;", "\"ipv4\" and \"ipv6\" cannot both be \"off\""},
       {"resolver 127.0.0.1:99999;", "invalid port"},
       {"resolver nobody.invalid;", "host not found in resolver \"nobody.invalid\""},
       {"resolver 127.0.0.1 status_zone=x;", "\"status_zone=x\" of \"resolver\" is not supported yet"},
       {"resolver_timeout soon;", "invalid value"}}));
  const Run run = check_config(line);
  CHECK(run.exit_code == 1);
  CHECK_THAT(run.err, ContainsSubstring(message));
}
