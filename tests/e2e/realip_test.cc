// The client's address behind trusted proxies (realip).
#include "catch.h"
#include "e2e/curl.h"
#include "e2e/h2_client.h"
#include "e2e/server.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string server(std::string_view inside, std::string_view listen = {}) {
  return std::string("server { listen 127.0.0.1:%%PORT_0%% ").append(listen).append("; location / { return 200 "
         "\"$remote_addr|$remote_port|$realip_remote_addr\"; } ").append(inside).append(" }");
}

std::string seen(const Server& s, const std::vector<std::string>& headers, const std::string& path = "/") {
  const std::string body = get(s.url(path), headers).body;
  return body.substr(0, body.find('|', body.find('|') + 1));
}

}  // namespace

TEST_CASE("a trusted proxy tells the address, others do not") {
  Server s("set_real_ip_from 127.0.0.1/32; " + server("location /no { set_real_ip_from 10.0.0.0/8; return 200 \"$remote_addr||\"; }"));
  CHECK(get(s.url("/"), {"X-Real-IP: 192.0.2.1"}).body == "192.0.2.1||127.0.0.1");
  CHECK(seen(s, {"X-Real-IP: 192.0.2.1:77"}) == "192.0.2.1|77");
  CHECK(seen(s, {"X-Real-IP: 2001:db8::1"}) == "2001:db8::1|");
  CHECK(seen(s, {"X-Real-IP: [2001:db8::1]:77"}) == "2001:db8::1|77");
  CHECK_THAT(seen(s, {}), Catch::Matchers::StartsWith("127.0.0.1|"));
  for (const char* value : {"unix:/x", "name", "192.0.2.1.", "unknown"})
    CHECK_THAT(seen(s, {"X-Real-IP: " + std::string(value)}), Catch::Matchers::StartsWith("127.0.0.1|"));
}

TEST_CASE("an untrusted client says what it likes") {
  Server s("set_real_ip_from 10.0.0.0/8; " + server(""));
  CHECK_THAT(seen(s, {"X-Real-IP: 192.0.2.1"}), Catch::Matchers::StartsWith("127.0.0.1|"));
}

TEST_CASE("X-Forwarded-For is read from its end, through as many trusted proxies as real_ip_recursive says") {
  Server s("set_real_ip_from 127.0.0.1; set_real_ip_from 10.0.1.0/24; real_ip_header X-Forwarded-For; " +
           server("location /deep { real_ip_recursive on; return 200 \"$remote_addr||\"; }"));
  CHECK(seen(s, {"X-Forwarded-For: 10.0.0.1, 192.0.2.1"}) == "192.0.2.1|");
  CHECK(seen(s, {"X-Forwarded-For: 192.0.2.1, 10.0.1.1"}) == "10.0.1.1|");
  CHECK(seen(s, {"X-Forwarded-For: 192.0.2.1", "X-Forwarded-For: 10.0.1.1"}) == "10.0.1.1|");
}

TEST_CASE("real_ip_recursive goes over several fields and stops at what is no address") {
  Server s("set_real_ip_from 127.0.0.1; set_real_ip_from 10.0.1.0/24; real_ip_header X-Forwarded-For; real_ip_recursive on; " + server(""));
  CHECK(seen(s, {"X-Forwarded-For: 10.0.1.1, 192.0.2.1, 10.0.1.2"}) == "192.0.2.1|");
  CHECK(seen(s, {"X-Forwarded-For: 10.0.1.1", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-For: 127.0.0.1"}) == "192.0.2.1|");
  CHECK(seen(s, {"X-Forwarded-For: 192.0.2.1, junk, 10.0.1.2"}) == "10.0.1.2|");
  CHECK(seen(s, {"X-Forwarded-For: 10.0.1.1, 10.0.1.2"}) == "10.0.1.1|");
  CHECK(seen(s, {"X-Forwarded-For: 192.0.2.1 , ,"}) == "192.0.2.1|");
}

TEST_CASE("Forwarded is read as RFC 7239 writes it") {
  Server s("set_real_ip_from 127.0.0.1; set_real_ip_from 2001:db8::/32; real_ip_header Forwarded; real_ip_recursive on; " + server(""));
  CHECK(seen(s, {"Forwarded: for=192.0.2.1;proto=https;by=203.0.113.4"}) == "192.0.2.1|");
  CHECK(seen(s, {"Forwarded: proto=http ; For=\"192.0.2.1:99\" , for=\"[2001:db8::1]:5\";host=\"a,b;for=1.2.3.4\""}) == "192.0.2.1|99");
  CHECK(seen(s, {"Forwarded: for=192.0.2.1", "Forwarded: for=\"[2001:db8::1]\""}) == "192.0.2.1|");
  CHECK(seen(s, {"Forwarded: for=192.0.2.1, for=_hidden, for=\"[2001:db8::1]\""}) == "2001:db8::1|");
  CHECK_THAT(seen(s, {"Forwarded: for=unknown"}), Catch::Matchers::StartsWith("127.0.0.1|"));
}

TEST_CASE("any field, also in a location, and the log has the client") {
  Server s("set_real_ip_from localhost; " + server("location /custom { real_ip_header X-Client; return 403; access_log %%DIR%%/access.log; }"));
  CHECK(get(s.url("/custom"), {"X-Client: 192.0.2.7", "X-Real-IP: 192.0.2.8"}).status == 403);
  CHECK(s.wait_for_log("^192.0.2.8 ", "access.log"));
  CHECK(get(s.url("/custom"), {"X-Client: 192.0.2.7"}).status == 403);
}

TEST_CASE("the PROXY protocol tells the address, with its port") {
  Server s("set_real_ip_from 127.0.0.1; real_ip_header proxy_protocol; " + server("", "proxy_protocol"));
  RawClient client(s.port());
  client.send("PROXY TCP4 192.0.2.1 192.0.2.2 123 5678\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(client.read_response().body == "192.0.2.1|123|127.0.0.1");
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(client.read_response().body == "192.0.2.1|123|127.0.0.1");
}

TEST_CASE("the next request of the connection is its own again, and streams have nothing of each other") {
  Server s("set_real_ip_from 127.0.0.1; " + server("http2 on;"));
  RawClient client(s.port());
  client.send("GET / HTTP/1.1\r\nHost: a\r\nX-Real-IP: 192.0.2.1\r\n\r\n");
  CHECK(client.read_response().body == "192.0.2.1||127.0.0.1");
  client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK_THAT(client.read_response().body, Catch::Matchers::StartsWith("127.0.0.1|"));
  H2Client h2(s.port());
  h2.request(1, "/", {{"x-real-ip", "192.0.2.1"}});
  h2.request(3, "/");
  CHECK(h2.read_response(1).body == "192.0.2.1||127.0.0.1");
  CHECK_THAT(h2.read_response(3).body, Catch::Matchers::StartsWith("127.0.0.1|"));
}

TEST_CASE("an address is taken once, whatever internal redirects follow") {
  Server s("set_real_ip_from 127.0.0.1; set_real_ip_from 192.0.2.0/24; real_ip_header X-Forwarded-For; " +
           server("location /page { error_page 404 /shown; return 404; }"));
  CHECK(seen(s, {"X-Forwarded-For: 198.51.100.1, 192.0.2.1"}, "/page") == "192.0.2.1|");
}

TEST_CASE("a unix socket is trusted as unix:") {
  Server s("server { listen 127.0.0.1:%%PORT_0%%; listen unix:%%DIR%%/s.sock; location / { set_real_ip_from unix:; root %%DIR%%/html; "
           "add_header X-IP $remote_addr; } }", {{"html/a", "text"}});
  Request request;
  request.url = "http://a/a";
  request.unix_socket = s.folder() + "/s.sock";
  request.headers = {"X-Real-IP: 192.0.2.1"};
  CHECK(fetch(request).header("X-IP") == "192.0.2.1");
  CHECK(get(s.url("/a"), {"X-Real-IP: 192.0.2.1"}).header("X-IP") == "127.0.0.1");
}

TEST_CASE("mistakes in realip have nginx's words") {
  CHECK_THAT(check_config("set_real_ip_from no.such.host.invalid;").err,
             ContainsSubstring("host not found in set_real_ip_from \"no.such.host.invalid\" in "));
  CHECK_THAT(check_config("set_real_ip_from 10.0.0.1/8; server { listen 127.0.0.1:%%PORT_0%%; }").err,
             ContainsSubstring("low address bits of 10.0.0.1/8 are meaningless in "));
  CHECK_THAT(check_config("real_ip_header A; real_ip_header B;").err, ContainsSubstring("\"real_ip_header\" directive is duplicate in "));
}

TEST_CASE("a quote that a client leaves open in Forwarded swallows nothing of what its proxy has added") {
  Server s("set_real_ip_from 127.0.0.1; real_ip_header Forwarded; " + server(""));
  CHECK(seen(s, {"Forwarded: for=10.9.9.9;x=\", for=203.0.113.5"}) == "203.0.113.5|");
  CHECK(seen(s, {"Forwarded: for=\"10.9.9.9, for=203.0.113.5"}) == "203.0.113.5|");
  CHECK(seen(s, {"Forwarded: for=\"a,b\\\"\", for=\"203.0.113.5:80\""}) == "203.0.113.5|80");
  CHECK_THAT(seen(s, {"Forwarded: for=10.9.9.9;x=\""}), Catch::Matchers::StartsWith("127.0.0.1|"));
}
