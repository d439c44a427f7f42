// WebSocket over HTTP/2 (RFC 8441), through the proxy to servers that speak it over HTTP/1.1.
#include <algorithm>

#include "catch.h"
#include "e2e/h2_client.h"
#include "e2e/probe.h"
#include "e2e/upstream.h"
#include "e2e/websocket_echo.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

std::string server(const std::string& inside) { return with_probe("server { listen 127.0.0.1:%%PORT_0%%; http2 on; " + inside + " }"); }

H2Fields connect_fields(const std::string& path, const std::string& protocol = "websocket") {
  return {{":method", "CONNECT"}, {":protocol", protocol}, {":scheme", "http"}, {":path", path}, {":authority", "localhost"},
          {"sec-websocket-version", "13"}};
}

// A text of a client: masked, with a mask that changes nothing.
std::string message(const std::string& text) {
  return std::string("\x81") + static_cast<char>(0x80 | text.size()) + std::string(4, '\0') + text;
}

std::string read_bytes(H2Client& c, std::uint32_t stream, std::size_t n) {
  std::string bytes;
  while (bytes.size() < n) bytes += c.wait_for(NGHTTP2_DATA, stream).payload;
  return bytes;
}

}  // namespace

TEST_CASE("WebSocket over HTTP/2: an echo answers each message, two beside each other, and ends when it is told") {
  const auto echo = WebSocketEcho::start();
  if (!echo) return;
  Server s(server("location / { proxy_pass " + echo->url() + "; }"));
  H2Client c(s.port());
  const Frame settings = c.wait_for(NGHTTP2_SETTINGS);
  CHECK_THAT(settings.payload, ContainsSubstring(setting_bytes(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1)));
  for (const std::uint32_t id : {1u, 3u}) {
    c.send_headers(id, connect_fields("/"), false);
    const Frame head = c.wait_for(NGHTTP2_HEADERS, id);
    CHECK(head.fields[0].second == "200");
    CHECK_FALSE(head.ends_stream());
    for (const auto& [name, value] : head.fields) CHECK(name.find("websocket-accept") == std::string::npos);
  }
  for (const std::string text : {"one", "two", "three"}) {
    c.send_data(1, message(text), false);
    CHECK(read_bytes(c, 1, text.size() + 2) == "\x81" + std::string(1, static_cast<char>(text.size())) + text);
  }
  c.send_data(3, message("other"), false);
  CHECK(read_bytes(c, 3, 7).substr(2) == "other");
  c.send_data(1, std::string("\x88\x80\0\0\0\0", 6), true);  // Close
  CHECK(read_bytes(c, 1, 2)[0] == '\x88');
  for (Frame frame = c.wait_for(NGHTTP2_DATA, 1);; frame = c.wait_for(NGHTTP2_DATA, 1))
    if (frame.ends_stream()) break;
  c.reset(3);
  c.send_headers(5, connect_fields("/"), false);
  CHECK(c.wait_for(NGHTTP2_HEADERS, 5).fields[0].second == "200");
}

TEST_CASE("WebSocket over HTTP/2: much data in both directions, as the windows let it") {
  const std::string much(1 << 20, 'x');
  Upstream up([&](RawClient& c) {
    const std::string head = c.read_until("\r\n\r\n");
    const auto key = head.find("Sec-WebSocket-Key: ");
    const std::string said = key == std::string::npos ? "" : head.substr(key + 19, 24);
    c.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: " + websocket_accept(said) + "\r\n\r\n");
    std::string got;
    while (got.size() < much.size()) got += c.read(16'384);
    c.send(got);
    c.read_all();
  });
  Server s(server("location / { send_timeout 0; proxy_pass " + up.url() + "; }"));  // no limit, not none at all
  H2Client c(s.port());
  c.open_window(0, 2 << 20);
  c.send_headers(1, connect_fields("/"), false);
  CHECK(c.wait_for(NGHTTP2_HEADERS, 1).fields[0].second == "200");
  c.open_window(1, 2 << 20);
  for (std::size_t sent = 0, window = 65'535; sent < much.size();) {
    const std::size_t n = std::min<std::size_t>({16'384, window, much.size() - sent});
    if (n > 0) c.send_data(1, much.substr(sent, n), false);
    sent += n;
    window -= n;
    if (window > 0 || sent == much.size()) continue;
    const std::string by = c.wait_for(NGHTTP2_WINDOW_UPDATE, 1).payload;
    for (const char byte : by) window = window << 8 | static_cast<unsigned char>(byte);
  }
  CHECK(read_bytes(c, 1, much.size()) == much);
  c.send_data(1, "", true);
  CHECK(c.read_response(1).ended);
}

TEST_CASE("WebSocket over HTTP/2: what is no tunnel is no 2xx, and what does not prove itself is a 502") {
  Upstream liar([](RawClient& c) {
    c.read_until("\r\n\r\n");
    c.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: no\r\n\r\n");
    c.read_all();
  });
  Server s(server("location /ok { return 200 ok; } location /no { return 403; } location /liar { proxy_pass " + liar.url() + "; }"));
  H2Client c(s.port());
  const auto status = [&](std::uint32_t id, const H2Fields& fields) {
    c.send_headers(id, fields, false);
    return c.read_response(id).status;
  };
  CHECK(status(1, connect_fields("/ok")) == 501);
  CHECK(status(3, connect_fields("/no")) == 403);
  CHECK(status(5, connect_fields("/liar")) == 502);
  CHECK(s.wait_for_log("upstream sent no valid \"Sec-WebSocket-Accept\" header"));
  CHECK(status(7, connect_fields("/ok", "connect-udp")) == 501);
  H2Fields get = get_fields("/ok");
  get.insert(get.begin(), {":protocol", "websocket"});
  CHECK(status(9, get) == 400);
  CHECK(status(11, {{":method", "CONNECT"}, {":authority", "localhost:80"}}) == 405);
  c.request(13, "/ok");
  CHECK(c.read_response(13).body == "ok");
}
