#include "seawall/route/listen.h"

#include "catch.h"
#include "seawall/config/tree.h"

using namespace seawall;

namespace {

using Words = std::vector<std::string>;
std::vector<std::string> warnings;

ListenOptions options(const Words& parameters) {
  Words words{"80"};
  words.insert(words.end(), parameters.begin(), parameters.end());
  warnings.clear();
  return parse_listen(words, [](const std::string& message) { warnings.push_back(message); }).options;
}

std::string addresses(const std::string& word) {
  std::string all;
  for (const Address& address : listen_addresses(word)) all += (all.empty() ? "" : " ") + address.text_with_port();
  return all;
}

void refused(const Words& parameters, const std::string& message) {
  CHECK_THROWS_WITH(options(parameters), message);
}

}  // namespace

TEST_CASE("the forms of a listen address") {
  CHECK(addresses("80") == "0.0.0.0:80");
  CHECK(addresses("*:8080") == "0.0.0.0:8080");
  CHECK(addresses("*") == "0.0.0.0:80");
  CHECK(addresses("127.0.0.1") == "127.0.0.1:80");
  CHECK(addresses("127.0.0.1:8000") == "127.0.0.1:8000");
  CHECK(addresses("[::]:8000") == "[::]:8000");
  CHECK(addresses("[::1]") == "[::1]:80");
  CHECK(addresses("unix:/var/run/nginx.sock") == "unix:/var/run/nginx.sock");
  CHECK(addresses("8080-8082") == "0.0.0.0:8080 0.0.0.0:8081 0.0.0.0:8082");
  CHECK(addresses("127.0.0.1:81-82") == "127.0.0.1:81 127.0.0.1:82");
  CHECK(addresses("[::1]:81-81") == "[::1]:81");
}

TEST_CASE("a name stands for all its addresses, each once") {
  const std::string found = addresses("localhost:8080");
  CHECK(found.find("127.0.0.1:8080") != std::string::npos);
  CHECK(found.find("127.0.0.1:8080") == found.rfind("127.0.0.1:8080"));
  CHECK(listen_addresses("localhost:81-82").size() == 2 * listen_addresses("localhost").size());
}

TEST_CASE("malformed listen addresses are refused in nginx's words") {
  const std::vector<std::pair<const char*, const char*>> all{
      {"0", "invalid port"}, {"65536", "invalid port"}, {"80-70", "invalid port range"}, {"80-65536", "invalid port"},
      {"*:", "invalid port"}, {"*:x", "invalid port"}, {"1.2.3.4:80-", "invalid port"},
      {"[::1]:2-1", "invalid port range"},
      {":80", "no host"}, {"", "no host"}, {"[]:80", "no host"}, {"[::1", "invalid host"}, {"[::1]80", "invalid host"},
      {"[::1]:80/", "invalid host"}, {"http://x", "invalid host"}, {"x?y", "invalid host"},
      {"[::g]", "invalid IPv6 address"},
      {"[1.2.3.4]", "invalid IPv6 address"}, {"unix:", "no path in the unix domain socket"},
      {"no-such-host.invalid:80", "host not found"},
  };
  for (const auto& [word, what] : all)
    CHECK_THROWS_WITH(listen_addresses(word), std::string(what) + " in \"" + word + "\" of the \"listen\" directive");
  CHECK_THROWS_WITH(listen_addresses("unix:" + std::string(108, 'x')),
                    Catch::Matchers::ContainsSubstring("too long path in the unix domain socket"));
}

TEST_CASE("protocol parameters leave the socket to others") {
  const auto o = options({"default_server", "ssl", "proxy_protocol", "http2"});
  CHECK((o.default_server && o.ssl && o.proxy_protocol && o.http2));
  CHECK_FALSE((o.set || o.bind));
  CHECK(warnings == Words{"the \"listen ... http2\" directive is deprecated, use the \"http2\" directive instead"});
  CHECK(options({"default"}).default_server);
}

TEST_CASE("socket parameters bind the address") {
  for (const char* word : {"bind", "deferred", "reuseport", "backlog=1", "rcvbuf=1k", "sndbuf=1m", "fastopen=5",
                           "ipv6only=off", "so_keepalive=off"}) {
    const auto o = options({word});
    CHECK((o.set && o.bind));
  }
  const auto o = options({"backlog=1024", "rcvbuf=8k", "sndbuf=16k", "fastopen=5", "deferred", "ipv6only=off",
                          "reuseport"});
  CHECK(o.backlog == 1024);
  CHECK(o.rcvbuf == 8192);
  CHECK(o.sndbuf == 16384);
  CHECK(o.fastopen == 5);
  CHECK((o.deferred && o.reuseport && !o.ipv6only));
  const auto untouched = options({});
  CHECK(untouched.backlog == 511);
  CHECK(untouched.rcvbuf == -1);
  CHECK(untouched.fastopen == -1);
  CHECK((untouched.ipv6only && !untouched.set && !untouched.bind));
}

TEST_CASE("so_keepalive takes times and a count, each of which may be left out") {
  using Keepalive = ListenOptions::Keepalive;
  CHECK(options({}).so_keepalive == Keepalive::system);
  CHECK(options({"so_keepalive=on"}).so_keepalive == Keepalive::on);
  CHECK(options({"so_keepalive=off"}).so_keepalive == Keepalive::off);
  const auto all = options({"so_keepalive=30m:10:5"});
  CHECK(all.keepidle == std::chrono::minutes(30));
  CHECK(all.keepintvl == std::chrono::seconds(10));
  CHECK(all.keepcnt == 5);
  CHECK(all.so_keepalive == Keepalive::on);
  CHECK(options({"so_keepalive=30m::10"}).keepintvl.count() == 0);
  CHECK(options({"so_keepalive=30m::10"}).keepcnt == 10);
  CHECK(options({"so_keepalive=:7"}).keepintvl.count() == 7);
  for (const char* value : {"", ":", "::", "x", "1:2:x", "1:2:3:4", "500ms", "0:0:0"})
    refused({"so_keepalive=" + std::string(value)}, "invalid so_keepalive value: \"" + std::string(value) + "\"");
}

TEST_CASE("what listen does not take") {
  refused({"nonsense"}, "invalid parameter \"nonsense\"");
  refused({"SSL"}, "invalid parameter \"SSL\"");
  refused({"setfib=1"}, "invalid parameter \"setfib=1\"");
  refused({"ipv6only=yes"}, "invalid parameter \"ipv6only=yes\"");
  refused({"ipv6only=oof"}, "invalid ipv6only flags \"oof\"");
  refused({"backlog=0"}, "invalid backlog \"backlog=0\"");
  refused({"backlog=-1"}, "invalid backlog \"backlog=-1\"");
  refused({"backlog=4294967297"}, "invalid backlog \"backlog=4294967297\"");
  refused({"rcvbuf=x"}, "invalid rcvbuf \"rcvbuf=x\"");
  refused({"sndbuf="}, "invalid sndbuf \"sndbuf=\"");
  refused({"fastopen=x"}, "invalid fastopen \"fastopen=x\"");
  refused({"accept_filter=httpready"}, "accept filters \"accept_filter=httpready\" are not supported on this platform");
  refused({"quic"}, "the \"quic\" parameter requires HTTP/3, which is not supported yet");
  CHECK_FALSE(options({"multipath"}).set);
  CHECK(warnings == Words{"multipath is not supported on this platform, ignored"});
}

TEST_CASE("a server without listen has one wildcard address") {
  const Listen listen = default_listen();
  REQUIRE(listen.addresses.size() == 1);
  CHECK(listen.addresses[0].is_wildcard());
  CHECK((listen.addresses[0].port() == 80 || listen.addresses[0].port() == 8000));
}
