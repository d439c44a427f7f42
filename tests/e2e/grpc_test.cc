// grpc_pass: calls of a real client to a real server, and to scripted ones.
#include "catch.h"
#include "e2e/certificate.h"
#include "e2e/curl.h"
#include "e2e/grpc_echo.h"
#include "e2e/h2_client.h"
#include "e2e/server.h"
#include "e2e/upstream.h"

using namespace std::chrono_literals;
using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string server(std::string_view location, std::string_view outside = {}) {
  return std::string(outside) + " server { listen 127.0.0.1:%%PORT_0%%; http2 on; client_max_body_size 0; " + std::string(location) + " }";
}
std::string address(int port) { return "127.0.0.1:" + std::to_string(port); }

H2Fields call(const std::string& path, const H2Fields& more = {}) {
  H2Fields fields{{":method", "POST"}, {":scheme", "http"}, {":path", path}, {":authority", "localhost"}, {"content-type", "application/grpc"},
                  {"te", "trailers"}};
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

}  // namespace

TEST_CASE("gRPC: unary calls, metadata, statuses and large messages come through") {
  const auto echo = GrpcEcho::start();
  if (!echo) return;
  Server s(server("location / { grpc_pass grpc://" + address(echo->port()) + "; }"));
  CHECK(GrpcEcho::client(s.port(), "say(unary(b'hello'))") == "hello\n");
  CHECK(GrpcEcho::client(s.port(), "r, c = unary.with_call(b'hello', metadata=(('x-a', '1'),)); say(dict(c.trailing_metadata())['x-size'])") == "5\n");
  CHECK(GrpcEcho::client(s.port(), "say(str(len(unary(b'x' * 3000000))))") == "3000000\n");
  CHECK(GrpcEcho::client(s.port(), "fail(b'')") == "FAILED_PRECONDITION not now\n");
}

TEST_CASE("gRPC: messages of a stream pass both ways as they come, and calls share a connection") {
  const auto echo = GrpcEcho::start();
  if (!echo) return;
  Server s(server("location / { grpc_pass u; }", "upstream u { server " + address(echo->port()) + "; }"));
  // The next message is sent only when the one before has come back.
  CHECK(GrpcEcho::client(s.port(), "q = queue.Queue()\nanswers = stream(iter(q.get, None))\nfor word in (b'one', b'two', b'three'):\n"
                                   "    q.put(word); say(next(answers))\nq.put(None)\nsay(str(len(list(answers))))") == "one\ntwo\nthree\n0\n");
  CHECK(GrpcEcho::client(s.port(), "calls = [unary.future(str(i).encode()) for i in range(50)]\nsay(str(sum(int(c.result()) for c in calls)))") ==
        "1225\n");
}

TEST_CASE("gRPC over TLS to the server: grpcs, and its name is checked") {
  const Certificate certificate = make_certificate({"inner.test"});
  const auto echo = GrpcEcho::start(certificate.certificate, certificate.key);
  if (!echo) return;
  Server s(server("grpc_ssl_verify on; grpc_ssl_trusted_certificate %%DIR%%/c.pem; grpc_ssl_name inner.test; "
                  "location / { grpc_pass grpcs://" + address(echo->port()) + "; }"), {{"c.pem", certificate.certificate}});
  CHECK(GrpcEcho::client(s.port(), "say(unary(b'hello'))") == "hello\n");
}

TEST_CASE("gRPC: a client is told the status of errors that are ours") {
  if (!GrpcEcho::start()) return;
  Server s(server("location / { grpc_pass grpc://127.0.0.1:%%PORT_1%%; } location /test.Echo/Fail { grpc_pass grpc://127.0.0.1:%%PORT_1%%; deny all; }"));
  CHECK_THAT(GrpcEcho::client(s.port(), "unary(b'hello')"), ContainsSubstring("UNAVAILABLE"));
  CHECK_THAT(GrpcEcho::client(s.port(), "fail(b'hello')"), ContainsSubstring("PERMISSION_DENIED"));
}

TEST_CASE("gRPC: grpc-status of our errors, unless error_page says something") {
  Server s(server("location / { grpc_pass grpc://127.0.0.1:%%PORT_1%%; } "
                  "location /page { grpc_pass grpc://127.0.0.1:%%PORT_1%%; error_page 502 = @unavailable; } "
                  "location @unavailable { default_type application/grpc; add_header grpc-status 8; add_header grpc-message busy; return 204; }"));
  H2Client c(s.port());
  c.send_headers(1, call("/"), true);
  const H2Response ours = c.read_response(1);
  CHECK(ours.status == 502);
  CHECK(ours.header("content-type") == "application/grpc");
  CHECK(ours.header("grpc-status") == "14");
  CHECK(ours.header("grpc-message") == "Bad Gateway");
  CHECK(ours.body.empty());
  c.send_headers(3, call("/page"), true);
  const H2Response theirs = c.read_response(3);
  CHECK(theirs.status == 204);
  CHECK(theirs.header("grpc-status") == "8");
  c.request(5, "/");
  const H2Response page = c.read_response(5);  // no call
  CHECK(page.header("grpc-status").empty());
  CHECK_THAT(page.body, ContainsSubstring("502 Bad Gateway"));
}

TEST_CASE("gRPC: what the server hears, and what of its answer the client does") {
  Upstream up([](RawClient& c) {
    H2Peer peer(std::move(c));
    peer.serve([&](const Frame& request) {
      std::string text;
      for (const auto& [name, value] : request.fields) text.append(name).append(": ").append(value).append("\n");
      peer.send_headers(request.stream, {{":status", "200"}, {"content-type", "application/grpc"}, {"server", "x"}, {"x-hidden", "1"}}, false);
      peer.send_data(request.stream, text, false);
      peer.send_headers(request.stream, {{"grpc-status", "0"}, {"grpc-message", ""}}, true);
    });
  });
  Server s(server("grpc_set_header X-Set $arg_x; grpc_hide_header X-Hidden; location / { grpc_pass " + address(up.port()) + "; } "
                  "location /host { grpc_pass " + address(up.port()) + "; grpc_set_header Host a.test; grpc_set_header TE \"\"; }"));
  H2Client c(s.port());
  c.send_headers(1, call("/a.B/C?x=1", {{"x-own", "2"}, {"content-length", "0"}}), true);
  const H2Response r = c.read_response(1);
  CHECK(r.body == ":method: POST\n:scheme: http\n:path: /a.B/C?x=1\n:authority: " + address(up.port()) +
                      "\nx-set: 1\ncontent-type: application/grpc\nx-own: 2\nte: trailers\ncontent-length: 0\n");
  CHECK(r.header("server") != "x");
  CHECK(r.header("x-hidden").empty());
  CHECK(r.trailers == H2Fields{{"grpc-status", "0"}, {"grpc-message", ""}});
  c.send_headers(3, call("/host"), true);
  CHECK(c.read_response(3).body == ":method: POST\n:scheme: http\n:path: /host\n:authority: a.test\ncontent-type: application/grpc\n");
}

TEST_CASE("gRPC: an answer that is trailers alone, and one of HTTP with an error page") {
  Upstream up([](RawClient& c) {
    H2Peer peer(std::move(c));
    const Frame request = peer.wait_for(NGHTTP2_HEADERS);
    if (field(request.fields, ":path") == "/404") peer.respond(request.stream, {{":status", "404"}}, "theirs");
    else peer.send_headers(request.stream, {{":status", "200"}, {"content-type", "application/grpc"}, {"grpc-status", "12"}}, true);
    peer.raw().expect_close(kPatience);
  });
  Server s(server("location / { grpc_pass " + address(up.port()) + "; error_page 404 /page; } location /page { return 200 ours; } "
                  "location /404 { grpc_pass " + address(up.port()) + "; error_page 404 /page; grpc_intercept_errors on; }"));
  H2Client c(s.port());
  c.send_headers(1, call("/"), true);
  const Frame head = c.wait_for(NGHTTP2_HEADERS, 1);
  CHECK(head.ends_stream());
  CHECK(field(head.fields, "grpc-status") == "12");
  c.send_headers(3, call("/404"), true);
  CHECK(c.read_response(3).body == "ours");
}

TEST_CASE("grpc_pass: what is refused") {
  const auto complaint = [](const std::string& text) { return check_config("server { " + text + " }").err; };
  CHECK_THAT(complaint("location / { grpc_pass http://a:1/; }"), ContainsSubstring("in upstream \"http://a:1/\""));
  CHECK_THAT(complaint("location / { grpc_pass grpc://127.0.0.1:1/uri; }"), ContainsSubstring("invalid host in upstream"));
  CHECK_THAT(complaint("location / { grpc_pass grpc://127.0.0.1; }"), ContainsSubstring("no port in upstream"));
  CHECK_THAT(complaint("location / { grpc_pass 127.0.0.1:1; grpc_pass 127.0.0.1:2; }"), ContainsSubstring("\"grpc_pass\" directive is duplicate"));
  CHECK_THAT(complaint("grpc_pass 127.0.0.1:1;"), ContainsSubstring("\"grpc_pass\" directive is not allowed here"));
  CHECK_THAT(complaint("location / { grpc_pass 127.0.0.1:1; grpc_buffering on; }"), ContainsSubstring("unknown directive \"grpc_buffering\""));
}
