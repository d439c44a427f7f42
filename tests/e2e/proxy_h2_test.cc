// proxy_http_version 2: requests to upstreams that speak HTTP/2, played frame by frame.
#include "catch.h"
#include "e2e/certificate.h"
#include "e2e/curl.h"
#include "e2e/h2_client.h"
#include "e2e/server.h"
#include "e2e/upstream.h"
#include "e2e/websocket_echo.h"

using namespace std::chrono_literals;
using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

const H2Fields kOk{{":status", "200"}};

std::string server(std::string_view location, std::string_view outside = {}) {
  return std::string(outside) + " server { listen 127.0.0.1:%%PORT_0%%; http2 on; server_name site.test; proxy_http_version 2; " +
         std::string(location) + " }";
}
std::string pass_to(const Upstream& up, std::string_view more = {}) {
  return server("location / { proxy_pass " + up.url() + "; " + std::string(more) + " }");
}
std::string block(const Upstream& up, std::string_view more = {}) {
  return "upstream u { server 127.0.0.1:" + std::to_string(up.port()) + "; " + std::string(more) + " }";
}

// Answers every request of a connection with its head and its body, as text; of a long body the length.
void echo(RawClient& c) {
  H2Peer peer(std::move(c));
  peer.serve([&](const Frame& request) {
    std::string text;
    for (const auto& [name, value] : request.fields) text.append(name).append(": ").append(value).append("\n");
    const std::string body = request.ends_stream() ? std::string() : peer.read_body(request.stream);
    if (body.size() <= 1000) text += body;
    else if (body.find_first_not_of('x') == std::string::npos) text += std::to_string(body.size()) + " times x";
    peer.respond(request.stream, kOk, text);
  });
}

}  // namespace

TEST_CASE("HTTP/2 to an upstream: a WebSocket is an extended CONNECT, for clients of HTTP/1.1 and HTTP/2") {
  const std::string key = "dGhlIHNhbXBsZSBub25jZQ==";
  std::string asked;
  Upstream up([&](RawClient& c) {
    H2Peer peer(std::move(c), setting_bytes(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1));
    for (int i = 0; i < 2; ++i) {  // both on one connection
      const Frame head = peer.wait_for(NGHTTP2_HEADERS);
      for (const auto& [name, value] : head.fields) asked.append(name).append(": ").append(value).append("\n");
      CHECK_FALSE(head.ends_stream());
      peer.send_headers(head.stream, {{":status", "200"}, {"sec-websocket-protocol", "chat"}}, false);
      peer.send_data(head.stream, "hi", false);
      std::string said;
      while (said.size() < 5) said += peer.wait_for(NGHTTP2_DATA, head.stream).payload;
      peer.send_data(head.stream, said + "!", false);
      while (!peer.wait_for(NGHTTP2_DATA, head.stream).ends_stream()) continue;
      peer.send_data(head.stream, "bye", true);
    }
  });
  Server s(server("location / { proxy_pass http://u; }", block(up)));
  {
    RawClient c(s.port());
    c.send("GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + "\r\n\r\n");
    const Response head = c.read_response();
    CHECK(head.status == 101);
    CHECK(head.header("Upgrade") == "websocket");
    CHECK(head.header("Sec-WebSocket-Accept") == websocket_accept(key));
    CHECK(head.header("Sec-WebSocket-Protocol") == "chat");
    CHECK(c.read(2) == "hi");
    c.send("hello");
    CHECK(c.read(6) == "hello!");
    c.half_close();
    CHECK(c.read_all() == "bye");
  }
  H2Client c(s.port());
  c.send_headers(1, {{":method", "CONNECT"}, {":protocol", "websocket"}, {":scheme", "http"}, {":path", "/chat"}, {":authority", "a"},
                     {"sec-websocket-version", "13"}}, false);
  CHECK(c.wait_for(NGHTTP2_HEADERS, 1).fields[0].second == "200");
  c.send_data(1, "hello", false);
  std::string heard;
  while (heard.size() < 8) heard += c.wait_for(NGHTTP2_DATA, 1).payload;
  CHECK(heard == "hihello!");
  c.send_data(1, "", true);
  CHECK(c.read_response(1).body == "bye");
  const std::string once = ":method: CONNECT\n:protocol: websocket\n:scheme: http\n:path: /chat\n:authority: u\nsec-websocket-version: 13\n";
  CHECK(asked == once + once);
  CHECK(up.connections() == 1);
}

TEST_CASE("HTTP/2 to an upstream: a WebSocket that it does not take, or refuses, is no tunnel") {
  const auto [settings, status, expected] = GENERATE(table<std::string, std::string, int>(
      {{"", "200", 502}, {setting_bytes(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1), "403", 403}}));
  Upstream up([&](RawClient& c) {
    H2Peer peer(std::move(c), settings);
    peer.serve([&](const Frame& head) { peer.respond(head.stream, {{":status", status}}, "no"); });
  });
  Server s(pass_to(up));
  RawClient c(s.port());
  c.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n");
  CHECK(c.read_response().status == expected);
  if (expected == 502) CHECK_THAT(s.error_log(), ContainsSubstring("upstream takes no WebSocket over HTTP/2"));
  c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(c.read_response().status == std::stoi(status));
}

TEST_CASE("HTTP/2 to an upstream: a request whose Upgrade proxy_set_header takes away is no WebSocket") {
  Upstream up(echo);
  Server s(pass_to(up, "proxy_set_header Upgrade \"\";"));
  RawClient c(s.port());
  c.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  CHECK_THAT(c.read_response().body, ContainsSubstring(":method: GET\n"));
}

TEST_CASE("HTTP/2 to an upstream: the response comes back") {
  Upstream up(answers({{":status", "201"}, {"x-made-by", "upstream"}, {"server", "other"}, {"content-length", "5"}}, "hello"));
  Server s(pass_to(up));
  const Response r = get(s.url("/"));
  CHECK(r.status == 201);
  CHECK(r.body == "hello");
  CHECK(r.header("X-Made-By") == "upstream");
  CHECK(r.header("Server") != "other");
  CHECK(r.header("Content-Length") == "5");
  CHECK(up.failure() == "");
}

TEST_CASE("HTTP/2 to an upstream: what it is asked, and nothing of the client's connection") {
  Upstream up(echo);
  Server s(server("location / { proxy_pass " + up.url() + "; } location /set { proxy_pass " + up.url() +
                  "; proxy_set_header Host a.test; proxy_set_header X-B \"1\r\n2\"; proxy_set_header Connection close; "
                  "proxy_set_header Upgrade foo; proxy_set_header TE gzip; proxy_set_header \"X: y\" 1; }"));
  RawClient c(s.port());
  c.send("GET /a%20b?x=1 HTTP/1.1\r\nHost: site.test\r\nConnection: keep-alive, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\n"
         "Upgrade: h2c\r\nHTTP2-Settings: AAAA\r\nX-Kept: 1\r\nCookie: a=b\r\n\r\n");
  CHECK(c.read_response().body == ":method: GET\n:scheme: http\n:path: /a%20b?x=1\n:authority: " + up.url().substr(7) +
                                      "\nx-kept: 1\ncookie: a=b\n");
  CHECK(get(s.url("/set"), {"User-Agent:", "Accept:"}).body == ":method: GET\n:scheme: http\n:path: /set\n:authority: a.test\nx-b: 12\n");
}

TEST_CASE("HTTP/2 to an upstream: bodies of requests, known, unknown, longer than its window, buffered or not") {
  Upstream up(echo);
  Server s(server("location / { proxy_pass " + up.url() + "; } location /stream { proxy_request_buffering off; proxy_pass " + up.url() +
                  "; } location /set { proxy_set_body mine; proxy_pass " + up.url() + "; } location /none { proxy_pass_request_body off; "
                  "proxy_pass " + up.url() + "; } client_max_body_size 10m;"));
  Request request;
  request.method = "POST";
  for (const std::string path : {"/", "/stream"}) {
    request.url = s.url(path);
    for (const std::size_t size : {0u, 10u, 100'000u, 1'000'000u}) {
      CAPTURE(path, size);
      request.body = std::string(size, 'x');
      const Response r = fetch(request);
      CHECK(r.status == 200);
      CHECK_THAT(r.body, ContainsSubstring("content-length: " + std::to_string(size) + "\n"));
      CHECK(r.body.ends_with(size > 1000 ? std::to_string(size) + " times x" : "\n" + *request.body));
    }
    RawClient c(s.port());
    c.send("POST " + path + " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    CHECK(c.read_response().body.ends_with("\nabc"));
  }
  request.body = "theirs";
  request.url = s.url("/set");
  CHECK(fetch(request).body.ends_with("content-length: 4\nmine"));
  request.url = s.url("/none");
  CHECK_THAT(fetch(request).body, !ContainsSubstring("theirs"));
}

TEST_CASE("HTTP/2 to an upstream: an unbuffered body reaches it before its end") {
  Upstream up([](RawClient& c) {
    H2Peer peer(std::move(c));
    const Frame request = peer.wait_for(NGHTTP2_HEADERS);
    const Frame first = peer.wait_for(NGHTTP2_DATA, request.stream);
    peer.send_headers(request.stream, kOk, false);
    peer.send_data(request.stream, "heard " + first.payload, false);
    peer.send_data(request.stream, ", " + peer.read_body(request.stream), true);
    peer.raw().expect_close(kPatience);
  });
  Server s(pass_to(up, "proxy_request_buffering off; proxy_buffering off;"));
  H2Client c(s.port());
  c.send_headers(1, {{":method", "POST"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}}, false);
  c.send_data(1, "one", false);
  CHECK(c.wait_for(NGHTTP2_DATA, 1).payload == "heard one");
  c.send_data(1, "two", true);
  CHECK(c.read_response(1).body == ", two");
  CHECK(up.failure() == "");
}

TEST_CASE("HTTP/2 to an upstream: many requests share a connection, and answers come in any order") {
  Upstream up([](RawClient& c) {
    H2Peer peer(std::move(c));
    std::vector<Frame> requests;
    for (int i = 0; i < 20; ++i) requests.push_back(peer.wait_for(NGHTTP2_HEADERS));
    for (auto r = requests.rbegin(); r != requests.rend(); ++r) peer.respond(r->stream, kOk, field(r->fields, ":path"));
    peer.raw().expect_close(kPatience);
  });
  const bool keepalive = GENERATE(true, false);
  Server s(keepalive ? server("location / { proxy_pass http://u; }", block(up)) : pass_to(up));
  H2Client c(s.port());
  for (std::uint32_t i = 0; i < 20; ++i) c.request(2 * i + 1, "/" + std::to_string(i));
  for (std::uint32_t i = 0; i < 20; ++i) CHECK(c.read_response(2 * i + 1).body == "/" + std::to_string(i));
  CHECK(up.connections() == 1);
  CHECK(up.failure() == "");
}

TEST_CASE("HTTP/2 to an upstream: one that takes a stream at a time gets a connection for each") {
  Upstream up([](RawClient& c) {
    H2Peer peer(std::move(c), setting_bytes(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1));
    const Frame first = peer.wait_for(NGHTTP2_HEADERS);
    peer.respond(first.stream, kOk, "first");
    try {
      const Frame second = peer.wait_for(NGHTTP2_HEADERS);
      peer.send_headers(second.stream, kOk, false);
      peer.send_data(second.stream, "part", false);
      peer.wait_for(NGHTTP2_HEADERS);  // never comes
    } catch (const std::exception&) {
    }
  });
  Server s(server("location / { proxy_pass http://u; proxy_buffering off; }", block(up)));
  CHECK(get(s.url("/")).body == "first");  // its SETTINGS have come
  H2Client c(s.port());
  c.request(1, "/");
  CHECK(c.wait_for(NGHTTP2_DATA, 1).payload == "part");
  CHECK(up.connections() == 1);
  c.request(3, "/");
  CHECK(c.read_response(3).body == "first");
  CHECK(up.connections() == 2);
}

TEST_CASE("HTTP/2 to an upstream: a connection is kept as keepalive says, and closed with GOAWAY else") {
  Upstream up(echo);
  Server s(server("location / { proxy_pass http://u; } location /few { proxy_pass http://v; } location /none { proxy_pass http://w; }",
                  block(up) + "upstream v { server 127.0.0.1:" + std::to_string(up.port()) + "; keepalive_requests 2; }" +
                      "upstream w { server 127.0.0.1:" + std::to_string(up.port()) + "; keepalive 0; }"));
  for (int i = 0; i < 4; ++i) CHECK(get(s.url("/")).status == 200);
  CHECK(up.connections() == 1);
  for (int i = 0; i < 4; ++i) CHECK(get(s.url("/few")).status == 200);
  CHECK(up.connections() == 3);
  for (int i = 0; i < 2; ++i) CHECK(get(s.url("/none")).status == 200);
  CHECK(up.connections() == 5);
  CHECK(up.failure() == "");

  Upstream polite([](RawClient& c) {
    H2Peer peer(std::move(c));
    peer.respond(peer.wait_for(NGHTTP2_HEADERS).stream, kOk);
    if (!peer.gone_with(NGHTTP2_NO_ERROR)) throw std::runtime_error("no GOAWAY");
  });
  Server other(pass_to(polite));
  CHECK(get(other.url("/")).status == 200);
  other.stop();
  CHECK(polite.failure() == "");
}

TEST_CASE("HTTP/2 to an upstream: a large response, and the windows it comes through") {
  const std::string body(1'000'000, 'x');
  Upstream up([&](RawClient& c) {
    H2Peer peer(std::move(c));
    std::uint32_t stream_window = 0;
    const Frame settings = peer.wait_for(NGHTTP2_SETTINGS);
    for (std::size_t at = 0; at + 6 <= settings.payload.size(); at += 6)
      if (settings.payload[at + 1] == NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE)
        for (int i = 2; i < 6; ++i) stream_window = stream_window << 8 | static_cast<unsigned char>(settings.payload[at + std::size_t(i)]);
    const Frame request = peer.wait_for(NGHTTP2_HEADERS);
    peer.send_headers(request.stream, kOk, false);
    std::int64_t window = stream_window;
    for (std::size_t at = 0; at < body.size();) {
      while (window <= 0) {
        const Frame update = peer.wait_for(NGHTTP2_WINDOW_UPDATE, request.stream);
        for (int i = 0, by = 0; i < 4; ++i) {
          by = by << 8 | static_cast<unsigned char>(update.payload[std::size_t(i)]);
          if (i == 3) window += by;
        }
      }
      const std::size_t n = std::min<std::size_t>({16384, body.size() - at, std::size_t(window)});
      peer.send_data(request.stream, std::string_view(body).substr(at, n), at + n == body.size());
      at += n;
      window -= std::int64_t(n);
    }
    peer.raw().expect_close(kPatience);
  });
  Server s(pass_to(up, GENERATE("", "proxy_buffering off;", "proxy_max_temp_file_size 0;")));
  CHECK(get(s.url("/")).body == body);
  CHECK(up.failure() == "");
}

TEST_CASE("HTTP/2 to an upstream: HEAD, 204, 304 and empty bodies") {
  Upstream up([](RawClient& c) {
    H2Peer peer(std::move(c));
    peer.serve([&](const Frame& request) {
      const std::string path = field(request.fields, ":path");
      H2Fields fields{{":status", path.substr(1)}};
      if (path != "/204") fields.emplace_back("content-length", field(request.fields, ":method") == "HEAD" ? "10" : path == "/304" ? "10" : "0");
      peer.send_headers(request.stream, fields, true);
    });
  });
  Server s(server("location / { proxy_pass http://u; }", block(up)));
  for (const int status : {200, 204, 304}) CHECK(get(s.url("/" + std::to_string(status))).status == status);
  Request head;
  head.method = "HEAD";
  head.url = s.url("/200");
  const Response r = fetch(head);
  CHECK(r.status == 200);
  CHECK(r.header("Content-Length") == "10");
  CHECK(up.connections() == 1);
}

TEST_CASE("HTTP/2 to an upstream: trailers, where proxy_pass_trailers says so") {
  Upstream up([](RawClient& c) {
    H2Peer peer(std::move(c));
    const Frame request = peer.wait_for(NGHTTP2_HEADERS);
    peer.send_headers(request.stream, kOk, false);
    peer.send_data(request.stream, "body", false);
    peer.send_headers(request.stream, {{"x-sum", "1"}, {"content-length", "9"}}, true);
    peer.raw().expect_close(kPatience);
  });
  Server s(server("location / { proxy_pass " + up.url() + "; proxy_pass_trailers on; } location /not { proxy_pass " + up.url() + "; }"));
  H2Client c(s.port());
  c.request(1, "/");
  const H2Response with = c.read_response(1);
  CHECK(with.body == "body");
  CHECK(with.trailers == H2Fields{{"x-sum", "1"}});
  c.request(3, "/not");
  CHECK(c.read_response(3).trailers.empty());
}

TEST_CASE("HTTP/2 to an upstream: 103 is passed on, other interim answers are not") {
  Upstream up([](RawClient& c) {
    H2Peer peer(std::move(c));
    const Frame request = peer.wait_for(NGHTTP2_HEADERS);
    peer.send_headers(request.stream, {{":status", "100"}}, false);
    peer.send_headers(request.stream, {{":status", "103"}, {"link", "</a.css>"}}, false);
    peer.send_headers(request.stream, {{":status", "102"}}, false);
    peer.respond(request.stream, kOk, "body");
    peer.raw().expect_close(kPatience);
  });
  Server s(pass_to(up, "early_hints 1;"));
  RawClient c(s.port());
  c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const Response hints = c.read_response();
  CHECK(hints.status == 103);
  CHECK(hints.header("link") == "</a.css>");
  CHECK(c.read_response().body == "body");
}

TEST_CASE("HTTP/2 to an upstream over TLS: ALPN, names and sessions, and connections are kept and shared") {
  const Certificate certificate = make_certificate({"inner.test"});
  Server s("upstream u { server 127.0.0.1:%%PORT_1%%; } server { listen 127.0.0.1:%%PORT_0%%; proxy_http_version 2; proxy_ssl_server_name on; "
           "proxy_ssl_name inner.test; proxy_ssl_verify on; proxy_ssl_trusted_certificate %%DIR%%/c.pem; "
           "location / { proxy_pass https://u; } location /other { proxy_pass https://127.0.0.1:%%PORT_1%%; proxy_set_header Host a.test; } "
           "location /wrong { proxy_pass https://u; proxy_ssl_name else.test; } }"
           "server { listen 127.0.0.1:%%PORT_1%% ssl; http2 on; server_name inner.test; ssl_certificate %%DIR%%/c.pem; ssl_certificate_key "
           "%%DIR%%/k.pem; return 200 \"$server_protocol $ssl_alpn_protocol $ssl_server_name $host $connection_requests $ssl_session_reused\"; }",
           {{"c.pem", certificate.certificate}, {"k.pem", certificate.key}});
  CHECK(get(s.url("/")).body == "HTTP/2.0 h2 inner.test u 1 .");
  CHECK(get(s.url("/")).body == "HTTP/2.0 h2 inner.test u 2 .");
  CHECK(get(s.url("/other")).body == "HTTP/2.0 h2 inner.test a.test 1 .");
  CHECK(get(s.url("/other")).body == "HTTP/2.0 h2 inner.test a.test 1 r");
  CHECK(get(s.url("/wrong")).status == 502);
}
