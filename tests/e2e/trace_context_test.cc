// trace_context: what upstreams hear of the client's trace, and what is no trace (W3C Trace Context, 2 and 3).
#include <nlohmann/json.hpp>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/fastcgi_peer.h"
#include "e2e/server.h"
#include "e2e/upstream.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::Matches;

namespace {

const std::string kTrace = "4bf92f3577b34da6a3ce929d0e0e4736", kSpan = "00f067aa0ba902b7";
const std::string kParent = "00-" + kTrace + "-" + kSpan + "-01";

// Answers with the head that it was sent.
void echo(RawClient& c) {
  for (;;) {
    const std::string head = c.read_until("\r\n\r\n");
    c.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(head.size()) + "\r\n\r\n" + head);
  }
}

std::string pass_to(const Upstream& up, const std::string& more) {
  return "server { listen 127.0.0.1:%%PORT_0%%; " + more +
         " location / { proxy_pass " + up.url() + "; add_header X-Trace \"$trace_id $trace_span_id $trace_parent_id $trace_sampled $trace_state\"; } }";
}

std::string field(const std::string& head, const std::string& name) {
  const auto at = head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return "";
  const auto begin = at + name.size() + 4;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

}  // namespace

TEST_CASE("trace_context: upstreams continue the client's trace below a span of ours") {
  Upstream up(echo);
  Server s(pass_to(up, "trace_context on;"));
  const Response r = get(s.url(), {"traceparent: " + kParent, "tracestate: a=1, b=2", "tracestate: c@d=3"});
  const std::string parent = field(r.body, "traceparent");
  CHECK_THAT(parent, Matches("00-" + kTrace + "-[0-9a-f]{16}-01"));
  CHECK_THAT(parent, !ContainsSubstring(kSpan));
  CHECK(field(r.body, "tracestate") == "a=1,b=2,c@d=3");
  CHECK(r.body.find("traceparent", r.body.find("traceparent") + 1) == std::string::npos);
  CHECK(r.header("X-Trace") == kTrace + " " + parent.substr(36, 16) + " " + kSpan + " 1 a=1,b=2,c@d=3");
}

TEST_CASE("trace_context: what is not valid counts as not sent, and a trace begins") {
  Upstream up(echo);
  Server s(pass_to(up, "trace_context on;"));
  const std::string zeros(32, '0');
  for (const std::string& bad : {std::string(), "00-" + kTrace + "-" + kSpan, "ff" + kParent.substr(2), kParent + "-00", kParent + "0",
                                 "00-" + zeros + "-" + kSpan + "-01", "00-" + kTrace + "-" + zeros.substr(16) + "-01",
                                 "00-4BF92F3577B34DA6A3CE929D0E0E4736-" + kSpan + "-01", "00-" + kTrace + "-" + kSpan + "-0x"}) {
    INFO(bad);
    std::vector<std::string> fields = {"tracestate: a=1"};
    if (!bad.empty()) fields.push_back("traceparent: " + bad);
    const Response r = get(s.url(), fields);
    CHECK_THAT(field(r.body, "traceparent"), Matches("00-[0-9a-f]{32}-[0-9a-f]{16}-03") && !ContainsSubstring(kTrace));
    CHECK(field(r.body, "tracestate").empty());
  }
  const Response twice = get(s.url(), {"traceparent: " + kParent, "traceparent: " + kParent});
  CHECK_THAT(field(twice.body, "traceparent"), !ContainsSubstring(kTrace));
}

TEST_CASE("trace_context: a later version is understood, and bad state is left out") {
  Upstream up(echo);
  Server s(pass_to(up, "trace_context on;"));
  const Response r = get(s.url(), {"traceparent: cc" + kParent.substr(2) + "-what-comes", "tracestate: A=1"});
  CHECK_THAT(field(r.body, "traceparent"), Matches("00-" + kTrace + "-[0-9a-f]{16}-01"));
  CHECK(field(r.body, "tracestate").empty());
  for (const char* state : {"a=1,a=2", "a", "=1", "a=", "a=b=c", "a=\xc3\xa9"})
    CHECK(field(get(s.url(), {"traceparent: " + kParent, std::string("tracestate: ") + state}).body, "tracestate").empty());
}

TEST_CASE("trace_context new: a trace begins whatever the client says, as many sampled as asked for") {
  Upstream up(echo);
  Server s(pass_to(up, "trace_context new sampled=0%;"));
  const Response r = get(s.url(), {"traceparent: " + kParent, "tracestate: a=1"});
  CHECK_THAT(field(r.body, "traceparent"), Matches("00-[0-9a-f]{32}-[0-9a-f]{16}-02") && !ContainsSubstring(kTrace));
  CHECK(field(r.body, "tracestate").empty());
}

TEST_CASE("without trace_context the client's fields pass as they are, and what is set by hand goes before ours") {
  Upstream up(echo);
  Server s(pass_to(up, "") + " server { listen 127.0.0.1:%%PORT_1%%; trace_context on; location / { proxy_pass " + up.url() +
           "; proxy_set_header traceparent mine; } }");
  const Response off = get(s.url(), {"traceparent: anything", "tracestate: A"});
  CHECK(field(off.body, "traceparent") == "anything");
  CHECK(field(off.body, "tracestate") == "A");
  CHECK(field(get(s.url("/", 1)).body, "traceparent") == "mine");
}

TEST_CASE("trace_context: FastCGI programs hear of it as a field") {
  Upstream up([](RawClient& c) {
    const FastCgiRequest request = read_fastcgi(c);
    std::string text = "Content-Type: text/plain\r\n\r\n";
    for (const auto& [name, value] : request.params) text += name + "=" + value + "\n";
    c.send(fastcgi_response(text));
  });
  Server s("server { listen 127.0.0.1:%%PORT_0%%; trace_context on; location / { fastcgi_pass 127.0.0.1:" + std::to_string(up.port()) + "; } }");
  const std::string body = get(s.url(), {"traceparent: " + kParent, "tracestate: a=1"}).body;
  CHECK_THAT(body, Matches("(.|\n)*HTTP_TRACEPARENT=00-" + kTrace + "-[0-9a-f]{16}-01\n(.|\n)*"));
  CHECK_THAT(body, ContainsSubstring("HTTP_TRACESTATE=a=1\n") && !ContainsSubstring(kSpan));
}

TEST_CASE("lines of JSON name the trace where there is one") {
  Server s("root %%DIR%%/html; server { listen 127.0.0.1:%%PORT_0%%; trace_context on; error_log a.json info format=json; }");
  get(s.url("/x"), {"traceparent: " + kParent});
  REQUIRE(s.wait_for_log("html/x", "a.json"));
  const auto line = nlohmann::json::parse(s.read("a.json"));
  CHECK(line["trace_id"] == kTrace);
  CHECK_THAT(line["span_id"].get<std::string>(), Matches("[0-9a-f]{16}"));
}

TEST_CASE("trace_context is refused in clear words") {
  const auto of = [](const std::string& arguments) { return check_config("trace_context " + arguments + ";").err; };
  CHECK_THAT(of("yes"), ContainsSubstring("invalid value \"yes\" in \"trace_context\" directive"));
  CHECK_THAT(of("on sampled=101%"), ContainsSubstring("invalid parameter \"sampled=101%\" in "));
}
