// Clocks of HTTP/2 (B28, B29): each stream has its own, and what it loses is its own, too. The connection has the preface, a
// header block and idleness.
#include <poll.h>

#include "catch.h"
#include "e2e/counts.h"
#include "e2e/h2_client.h"
#include "e2e/timing.h"

using namespace std::chrono_literals;
using namespace test;

namespace {

std::string server(const std::string& inside, const std::string& http = "") {
  return with_probe(http + "server { listen 127.0.0.1:%%PORT_0%%; http2 on; location /ok { return 200 ok; } location /counts { probe_counts on; } " + inside + " }");
}

void check_alive(H2Client& c, std::uint32_t stream) {
  c.request(stream, "/ok");
  CHECK(c.read_response(stream).body == "ok");
}

H2Fields post_fields(const std::string& path) {
  H2Fields fields = get_fields(path);
  fields[0].second = "POST";
  return fields;
}

}  // namespace

TEST_CASE("HTTP/2 preface: half of one, and one without SETTINGS, are not waited for") {
  Server s(server("", "client_header_timeout 200ms;"));
  for (const std::string_view begun : {kPreface.substr(0, 10), kPreface}) {
    const Stopwatch watch(200ms);
    RawClient c(s.port());
    c.send(begun);
    CHECK(c.expect_close(kPatience));
    watch.check();
  }
}

TEST_CASE("HTTP/2 preface: what may as well be HTTP/1 when its time is over is told so, and has had no other time before") {
  Server s(server("", "client_header_timeout 1500ms;"));
  const Stopwatch watch(1500ms);
  RawClient c(s.port());
  c.send("P");
  RawClient later(s.port());  // half a second younger
  ::poll(nullptr, 0, 500);
  RawClient youngest(s.port());
  youngest.send("G");
  ::poll(nullptr, 0, 400);
  c.send("OST");
  later.send("PRI");
  pollfd both[] = {{c.fd(), POLLIN, 0}, {youngest.fd(), POLLIN, 0}};
  REQUIRE(::poll(both, 2, 10'000) > 0);
  CHECK((both[0].revents & POLLIN) != 0);
  watch.check();
  for (RawClient* one : {&c, &later, &youngest}) {
    CHECK(one->read_response().status == 408);
    CHECK(one->expect_close(kPatience));
  }
  CHECK(timeouts(s.url("/counts"), seawall::Wait::header) == 3);
}

TEST_CASE("HTTP/2 head: a block without its end is its stream's end, and what is still to come of it may") {
  Server s(server("", "client_header_timeout 300ms;"));
  H2Client c(s.port());
  check_alive(c, 1);
  const Stopwatch watch(300ms);
  const std::string block = c.pack(get_fields("/ok", {{"x", "a value that is indexed"}}));
  c.send_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 3, block.substr(0, 5));
  CHECK(c.wait_for(NGHTTP2_RST_STREAM, 3).error_code() == NGHTTP2_PROTOCOL_ERROR);
  watch.check();
  CHECK(s.wait_for_log("client timed out while reading client request headers"));
  c.send_frame(NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, 3, block.substr(5));
  check_alive(c, 5);
}

TEST_CASE("HTTP/2 head: a second block without its end, or one that drips on, is the connection's") {
  Server s(server("", "client_header_timeout 300ms; keepalive_timeout 1s;"));
  H2Client silent(s.port());
  check_alive(silent, 1);
  silent.send_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 3, silent.pack(get_fields("/ok")));
  const Frame goodbye = silent.wait_for(NGHTTP2_GOAWAY);
  CHECK(goodbye.error_code() == NGHTTP2_NO_ERROR);
  CHECK(silent.raw().expect_close(kPatience));
  H2Client dripping(s.port());
  check_alive(dripping, 1);
  dripping.send_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 3, dripping.pack(get_fields("/ok")));
  CHECK(dripping.wait_for(NGHTTP2_RST_STREAM, 3).error_code() == NGHTTP2_PROTOCOL_ERROR);
  dripping.send_frame(NGHTTP2_CONTINUATION, 0, 3, dripping.pack({{"x", "y"}}));
  CHECK(dripping.gone_with(NGHTTP2_PROTOCOL_ERROR));
}

TEST_CASE("HTTP/2: client_header_timeout is a block's, not the connection's") {
  Server s(server("", "client_header_timeout 300ms;"));
  H2Client c(s.port());
  for (std::uint32_t id = 1; id < 7; id += 2) {
    check_alive(c, id);
    ::poll(nullptr, 0, 200);
  }
}

TEST_CASE("HTTP/2 body: one that stops coming is a 408 on its stream") {
  Server s(server("location / { client_body_timeout 300ms; probe_read on; }"));
  H2Client c(s.port());
  const Stopwatch watch(300ms);
  c.send_headers(1, post_fields("/"), false);
  c.send_data(1, "x", false);
  CHECK(c.read_response(1).status == 408);
  CHECK(c.wait_for(NGHTTP2_RST_STREAM, 1).error_code() == NGHTTP2_PROTOCOL_ERROR);
  watch.check();
  check_alive(c, 3);
}

TEST_CASE("HTTP/2 handler: one that is late is a 503 on its stream") {
  Server s(server("location / { handler_timeout 300ms; probe_wait 600s; }"));
  H2Client c(s.port());
  c.request(1, "/");
  check_alive(c, 3);
  CHECK(c.read_response(1).status == 503);
  check_alive(c, 5);
}

TEST_CASE("HTTP/2 send: a window that stays shut is RST_STREAM(CANCEL) of its stream") {
  Server s(server("root %%DIR%%; send_timeout 300ms;"), {{"big", std::string(200'000, 'x')}});
  H2Client c(s.port());
  c.open_window(0, 1 << 20);
  const Stopwatch watch(300ms);
  c.request(1, "/big");
  CHECK(c.read_response(1).reset == NGHTTP2_CANCEL);
  watch.check();
  CHECK(s.wait_for_log("client timed out while sending response to client"));
  check_alive(c, 3);
}

TEST_CASE("HTTP/2: a time that is taken away by 0 is no time at all, as HTTP/1 has it") {
  Server s(server("root %%DIR%%; send_timeout 0; send_min_rate 0;", "client_header_timeout 0;"), {{"big", std::string(200'000, 'x')}});
  H2Client c(s.port(), false, H2Client::Start::silent);
  c.send(kPreface);
  const std::string settings = c.raw().read(9);  // not acknowledged: the client has said nothing yet
  c.raw().read(static_cast<unsigned char>(settings[2]));
  c.send_frame(NGHTTP2_SETTINGS, 0, 0);
  const std::string block = c.pack(get_fields("/ok"));
  c.send(frame_bytes(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM | NGHTTP2_FLAG_END_HEADERS, 1, block).substr(0, 12));
  CHECK(c.wait_for(NGHTTP2_SETTINGS).flags == NGHTTP2_FLAG_ACK);
  CHECK(h2_abuses(s.url("/counts"), seawall::H2Abuse::window_stall) == 0);  // another connection has been served meanwhile
  c.send(frame_bytes(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM | NGHTTP2_FLAG_END_HEADERS, 1, block).substr(12));
  CHECK(c.read_response(1).body == "ok");
  c.open_window(0, 1 << 20);
  c.request(3, "/big");
  for (std::size_t got = 0; got < 65'535;) got += c.wait_for(NGHTTP2_DATA, 3).payload.size();
  check_alive(c, 5);
  check_alive(c, 7);
  c.open_window(3, 1 << 20);
  CHECK(c.read_response(3).ended);
}

TEST_CASE("HTTP/2 send: a window that opens now and then is waited for") {
  Server s(server("root %%DIR%%; send_timeout 900ms;"), {{"big", std::string(65'535 + 6, 'x')}});
  H2Client c(s.port());
  c.open_window(0, 1 << 20);
  c.request(1, "/big");
  for (int i = 0; i < 6; ++i) {
    ::poll(nullptr, 0, 200);
    c.open_window(1, 1);
  }
  CHECK(c.read_response(1).body.size() == 65'541);
}

TEST_CASE("HTTP/2: pings keep no idle connection open") {
  Server s(server("", "keepalive_timeout 600ms;"));
  H2Client c(s.port());
  check_alive(c, 1);
  const Stopwatch watch(600ms);
  for (int i = 0; i < 4; ++i) {
    ::poll(nullptr, 0, 100);
    c.ping("12345678");
  }
  CHECK(c.gone_with(NGHTTP2_NO_ERROR));
  watch.check();
}

TEST_CASE("HTTP/2 head: one that is refused, or was given up, and has its end is no clock of the connection's any more") {
  Server s(server("location / { handler_timeout 1200ms; probe_wait 600s; }", "client_header_timeout 300ms; http2_max_concurrent_streams 1;"));
  H2Client refused(s.port());
  refused.request(1, "/");
  refused.request(3, "/ok");
  CHECK(refused.read_response(3).reset == NGHTTP2_REFUSED_STREAM);
  CHECK(refused.read_response(1).status == 503);  // by its own clock, four times as long
  Server two(server("location / { handler_timeout 1200ms; probe_wait 600s; }", "client_header_timeout 300ms;"));
  H2Client late(two.port());
  check_alive(late, 1);  // SETTINGS have been acknowledged
  late.request(3, "/");
  const std::string block = late.pack(get_fields("/ok"));
  late.send_frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 5, block.substr(0, 2));
  CHECK(late.wait_for(NGHTTP2_RST_STREAM, 5).error_code() == NGHTTP2_PROTOCOL_ERROR);
  late.send_frame(NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, 5, block.substr(2));
  CHECK(late.read_response(3).status == 503);
}
