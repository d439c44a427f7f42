// Attacks on HTTP/2 by name. Each has a budget that honest clients do not reach; who spends it is sent away with
// ENHANCE_YOUR_CALM, and everybody else notices nothing.
#include <functional>

#include "catch.h"
#include "e2e/counts.h"
#include "e2e/h2_client.h"
#include "e2e/timing.h"

using namespace std::chrono_literals;
using namespace test;
using seawall::H2Abuse;

namespace {

const std::string kTarget = R"(
  server {
    listen 127.0.0.1:%%PORT_0%%; http2 on;
    location / { return 200 ok; }
    location /wait { probe_wait 600s; }
    location /body { probe_read on; }
    location /big { alias %%DIR%%/big; }
    location /counts { probe_counts on; }
  })";

class Target : public Server {
 public:
  explicit Target(const std::string& http = "") : Server(with_probe(http + kTarget), {{"big", std::string(200'000, 'x')}}) {}
  void check_honest() const {
    H2Client c(port());
    c.request(1, "/");
    CHECK(c.read_response(1).body == "ok");
  }
  // So often has it been found out.
  void check_counted(H2Abuse abuse, std::uint64_t times = 1) const { CHECK(h2_abuses(url("/counts"), abuse) == times); }
};

// Sends the same thing until the server has had enough; what it says is in its log.
void check_flood(H2Abuse abuse, const std::string& message, const std::function<void(H2Client&, std::uint32_t)>& send,
                 const std::string& http = "", std::uint32_t rounds = 5000) {
  Target s(http);
  H2Client c(s.port());
  try {
    for (std::uint32_t i = 0; i < rounds; ++i) send(c, i);
  } catch (const std::exception&) {  // it does not take any more
  }
  CHECK(s.wait_for_log(message));
  CHECK(c.raw().expect_close(kPatience));
  s.check_counted(abuse);
  s.check_honest();
}

}  // namespace

TEST_CASE("rapid reset (CVE-2023-44487)") {
  check_flood(H2Abuse::rapid_reset, "client reset too many streams", [](H2Client& c, std::uint32_t i) {
    c.request(2 * i + 1, "/wait");
    c.reset(2 * i + 1);
  });
}

TEST_CASE("rapid reset: over 100 connections it costs no memory once they are gone, and starts no handler twice") {
  Target s;
  const pid_t worker = serving_process(s);
  const int before = settled_descriptors(worker);
  {
    std::vector<std::unique_ptr<H2Client>> clients;
    for (int n = 0; n < 100; ++n) {
      clients.push_back(std::make_unique<H2Client>(s.port()));
      H2Client& c = *clients.back();
      std::string burst;
      for (std::uint32_t id = 1; id < 400; id += 2) burst += frame_bytes(NGHTTP2_HEADERS, 5, id, c.pack(get_fields("/wait"))) + frame_bytes(NGHTTP2_RST_STREAM, 0, id, number_bytes(8));
      c.send(burst);
    }
    s.check_honest();
  }
  CHECK(wait_until([&] { return open_descriptors(worker) <= before; }));
  s.check_honest();
}

TEST_CASE("MadeYouReset (CVE-2025-8671): broken frames that make us reset") {
  // Fewer than the budget of WINDOW_UPDATE frames has: all that one read brings are counted before nghttp2 looks at the first.
  check_flood(H2Abuse::made_you_reset, "client sent too many broken frames", [](H2Client& c, std::uint32_t i) {
    c.request(2 * i + 1, "/wait");
    c.open_window(2 * i + 1, 0x7fffffff);
  }, "", 1000);
  check_flood(H2Abuse::made_you_reset, "client sent too many broken frames", [](H2Client& c, std::uint32_t i) {
    H2Fields fields = get_fields("/wait", {{"content-length", "1"}});
    fields[0].second = "POST";
    c.send_headers(2 * i + 1, fields, false);
    c.send_data(2 * i + 1, "too much", false);
  });
}

TEST_CASE("MadeYouReset (CVE-2025-8671): more DATA than the stream has a window for") {
  check_flood(H2Abuse::made_you_reset, "client sent too many broken frames", [](H2Client& c, std::uint32_t i) {
    if (i == 0) {  // the small window holds from the acknowledgement on
      c.request(1, "/");
      c.read_response(1);
      return;
    }
    H2Fields fields = get_fields("/wait");
    fields[0].second = "POST";
    c.send_headers(2 * i + 1, fields, false);
    c.send_data(2 * i + 1, std::string(1000, 'x'), false);
  }, "http2_body_preread_size 100;");
}

TEST_CASE("CONTINUATION flood (CVE-2024-27316)") {
  Target s;
  H2Client c(s.port());
  c.send_frame(NGHTTP2_HEADERS, 0, 1, c.pack(get_fields("/")));
  try {
    for (int i = 0; i < 1000; ++i) c.send_frame(NGHTTP2_CONTINUATION, 0, 1, c.pack({{"x-a", "b"}}));
  } catch (const std::exception&) {
  }
  CHECK(s.wait_for_log("client sent too many CONTINUATION frames"));
  CHECK(c.raw().expect_close(kPatience));
  s.check_counted(H2Abuse::continuation_flood);
  s.check_honest();
}

TEST_CASE("SETTINGS flood (CVE-2019-9515)") {
  check_flood(H2Abuse::settings_flood, "client sent too many SETTINGS frames", [](H2Client& c, std::uint32_t) { c.send_frame(NGHTTP2_SETTINGS, 0, 0); });
}

TEST_CASE("PING flood (CVE-2019-9512)") {
  check_flood(H2Abuse::ping_flood, "client sent too many PING frames", [](H2Client& c, std::uint32_t) { c.ping("12345678"); });
}

TEST_CASE("PRIORITY flood (CVE-2019-9513)") {
  check_flood(H2Abuse::priority_flood, "client sent too many PRIORITY frames", [](H2Client& c, std::uint32_t i) {
    c.send_frame(NGHTTP2_PRIORITY, 0, 2 * i + 1, number_bytes(0) + "\x10");
  });
}

TEST_CASE("PRIORITY_UPDATE flood") {
  check_flood(H2Abuse::priority_flood, "client sent too many PRIORITY frames", [](H2Client& c, std::uint32_t) {
    c.send_frame(NGHTTP2_PRIORITY_UPDATE, 0, 0, number_bytes(1) + "u=1");
  });
}

TEST_CASE("empty frames flood (CVE-2019-9518): DATA, open and closed, and CONTINUATION") {
  check_flood(H2Abuse::empty_frame_flood, "client sent too many empty frames", [](H2Client& c, std::uint32_t i) {
    H2Fields fields = get_fields("/body");
    fields[0].second = "POST";
    if (i == 0) c.send_headers(1, fields, false);
    c.send_data(1, "", false);
  });
  check_flood(H2Abuse::empty_frame_flood, "client sent too many empty frames", [](H2Client& c, std::uint32_t i) {
    H2Fields fields = get_fields("/body");
    fields[0].second = "POST";
    if (i == 0) c.send_headers(1, fields, false);
    c.send_frame(NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, 1, std::string("\x03\0\0\0", 4));
  });
}

TEST_CASE("WINDOW_UPDATE flood: a byte at a time") {
  check_flood(H2Abuse::window_flood, "client sent too many WINDOW_UPDATE frames", [](H2Client& c, std::uint32_t) { c.open_window(0, 1); });
}

TEST_CASE("frames of unknown types flood") {
  check_flood(H2Abuse::unknown_flood, "client sent too many frames of unknown types", [](H2Client& c, std::uint32_t) { c.send_frame(0x42, 0, 0, "?"); });
}

TEST_CASE("HPACK bomb (CVE-2016-6581): a byte that unpacks to kilobytes") {
  check_flood(H2Abuse::header_bomb, "client sent a header block that unpacks to too much", [](H2Client& c, std::uint32_t i) {
    if (i == 0) c.request(1, "/", {{"x-bomb", std::string(3000, 'b')}});
    // 0xbe: the newest entry of the dynamic table.
    else c.send_frame(NGHTTP2_HEADERS, 5, 2 * i + 1, std::string(10'000, '\xbe'));
  });
}

TEST_CASE("header list: its size, each field's, and their count") {
  Target s("large_client_header_buffers 4 2k; max_headers 20;");
  H2Client c(s.port());
  H2Fields many, large;
  for (int i = 0; i < 21; ++i) many.emplace_back("x-" + std::to_string(i), "v");
  for (int i = 0; i < 10; ++i) large.emplace_back("x-" + std::to_string(i), std::string(1500, 'v'));
  c.request(1, "/", many);
  CHECK(c.read_response(1).status == 400);
  c.request(3, "/", large);
  CHECK(c.read_response(3).status == 400);
  c.request(5, "/", {{"x", std::string(2100, 'v')}});
  CHECK(c.read_response(5).status == 400);
  c.request(7, "/" + std::string(2100, 'u'));
  CHECK(c.read_response(7).status == 400);
  c.request(9, "/");
  CHECK(c.read_response(9).body == "ok");
}

TEST_CASE("stream excess: more than http2_max_concurrent_streams are refused, and in the end their client") {
  Target s("http2_max_concurrent_streams 5;");
  H2Client c(s.port());
  for (std::uint32_t id = 1; id <= 11; id += 2) c.request(id, "/wait");
  CHECK(c.read_response(11).reset == NGHTTP2_REFUSED_STREAM);
  c.reset(1);
  // What is reset counts until its work has ended: one that follows in the same breath may be refused.
  H2Response next;
  std::uint32_t id = 13;
  for (; next.status == 0 && id < 1000; id += 2) {
    c.request(id, "/");
    next = c.read_response(id);
  }
  CHECK(next.body == "ok");
  try {
    for (; id < 3000; id += 2) c.request(id, "/wait");
    c.request(3001, "/wait");
  } catch (const std::exception&) {
  }
  CHECK(s.wait_for_log("concurrent streams exceeded 5"));
  CHECK(s.wait_for_log("client sent too many refused streams"));
  s.check_counted(H2Abuse::refused_streams);
  s.check_honest();
}

TEST_CASE("window stall (CVE-2019-9517): responses that are asked for and not taken hold no file and end in time") {
  Target s("send_timeout 500ms; http2_max_concurrent_streams 100;");
  const pid_t worker = serving_process(s);
  const int before = settled_descriptors(worker);
  H2Client c(s.port());
  c.send_frame(NGHTTP2_SETTINGS, 0, 0, setting_bytes(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0));
  for (std::uint32_t id = 1; id < 200; id += 2) c.request(id, "/big");
  for (std::uint32_t id = 1; id < 200; id += 2) CHECK(c.read_response(id).reset == NGHTTP2_CANCEL);
  s.check_counted(H2Abuse::window_stall, 100);
  c.request(201, "/");
  c.open_window(201, 100);
  CHECK(c.read_response(201).body == "ok");
  CHECK(wait_until([&] { return open_descriptors(worker) <= before + 1; }));
}

TEST_CASE("fields that RFC 9113 forbids are refused, and what follows is served") {
  Target s;
  H2Client c(s.port());
  std::uint32_t id = 1;
  const auto refused = [&](const H2Fields& fields) {
    c.send_headers(id, fields);
    CHECK(c.read_response(id).status == 400);
    id += 2;
  };
  const auto with = [](const std::string& name, const std::string& value) { return get_fields("/", {{name, value}}); };
  for (const auto& fields : {with("connection", "close"), with("keep-alive", "1"), with("proxy-connection", "x"), with("transfer-encoding", "chunked"),
                             with("upgrade", "h2c"), with("te", "gzip"), with("X-Upper", "1"), with("x y", "1"), with("x\ry", "1"), with("x\xff", "1"),
                             with("x", "a\r\nb: c"), with("x", std::string("a\0b", 3)), with("x", " a"), with("x", "a "), with("x", "\ta"),
                             with("x", "a\x01z"), with(":path", "/"), with(":status", "200"), with("", "a"), with("content-length", "-1"),
                             with("content-length", "5"), with("host", "other"), with("content-length", "0x1")})
    refused(fields);
  const auto pseudo = [](const std::string& method, const std::string& scheme, const std::string& path, const std::string& authority) {
    return H2Fields{{":method", method}, {":scheme", scheme}, {":path", path}, {":authority", authority}};
  };
  refused(pseudo("GET /x HTTP/1.1\r\nA: b", "http", "/", "a"));
  refused(pseudo("GET ", "http", "/", "a"));
  refused(pseudo("get", "http", "/", "a"));
  refused(pseudo("GET", "http", "/ HTTP/1.1", "a"));
  refused(pseudo("GET", "http", "/a b", "a"));
  refused(pseudo("GET", "http", "a", "a"));
  refused(pseudo("GET", "http", "*", "a"));
  refused(pseudo("GET", "http", "", "a"));
  refused(pseudo("GET", "ht tp", "/", "a"));
  refused(pseudo("GET", "http", "/", "a b"));
  refused(pseudo("GET", "http", "/", "a/b"));
  refused({{":method", "GET"}, {":scheme", "http"}, {":path", "/"}});
  refused({{":scheme", "http"}, {":path", "/"}, {":authority", "a"}});
  refused({{":method", "GET"}, {":path", "/"}, {":authority", "a"}});
  refused({{":method", "GET"}, {"x", "y"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}});
  refused({{":method", "GET"}, {":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}});
  c.request(id, "/");
  CHECK(c.read_response(id).body == "ok");
}

TEST_CASE("bodies that are longer or shorter than they say are a 400, and trailers that are none reset their stream") {
  Target s;
  H2Client c(s.port());
  const auto post = [&](std::uint32_t id, const H2Fields& more) {
    H2Fields fields = get_fields("/body", more);
    fields[0].second = "POST";
    c.send_headers(id, fields, false);
  };
  post(1, {{"content-length", "3"}});
  c.send_data(1, "four", true);
  CHECK(c.read_response(1).status == 400);
  CHECK(c.wait_for(NGHTTP2_RST_STREAM, 1).error_code() == NGHTTP2_PROTOCOL_ERROR);
  post(3, {{"content-length", "5"}});
  c.send_data(3, "four", true);
  CHECK(c.read_response(3).status == 400);
  CHECK(c.wait_for(NGHTTP2_RST_STREAM, 3).error_code() == NGHTTP2_PROTOCOL_ERROR);
  post(5, {});
  c.send_headers(5, {{"x", "y"}}, false);
  CHECK(c.read_response(5).reset == NGHTTP2_PROTOCOL_ERROR);
  post(7, {});
  c.send_headers(7, {{":method", "GET"}}, true);
  CHECK(c.read_response(7).reset == NGHTTP2_PROTOCOL_ERROR);
  c.request(9, "/");
  CHECK(c.read_response(9).body == "ok");
}

TEST_CASE("PUSH_PROMISE of a client ends its connection, before its payload has come") {
  Target s;
  H2Client c(s.port());
  c.send(frame_bytes(NGHTTP2_PUSH_PROMISE, 0, 1, "1234").substr(0, 9));
  CHECK(c.gone_with(NGHTTP2_PROTOCOL_ERROR));
  s.check_honest();
}

TEST_CASE("a body for a window that the client does not know yet is refused") {
  Server s(with_probe("server { listen 127.0.0.1:%%PORT_0%%; http2 on; http2_body_preread_size 10; location / { probe_read on; } }"));
  H2Client c(s.port(), false, H2Client::Start::silent);
  c.send(kPreface);
  c.send_frame(NGHTTP2_SETTINGS, 0, 0);
  c.send_headers(1, get_fields("/"), false);
  c.send_data(1, "TEST", true);
  c.request(3, "/");
  CHECK(c.read_response(1).reset == NGHTTP2_REFUSED_STREAM);
  CHECK(c.read_response(3).status == 200);
}

TEST_CASE("a stream that is said to depend on itself, in its trailers, holds up nobody") {
  Target s;
  H2Client c(s.port());
  const auto place = [](std::uint32_t on) { return number_bytes(on) + static_cast<char>(15); };
  constexpr std::uint8_t kFlags = NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_PRIORITY;
  H2Fields post = get_fields("/body");
  post[0].second = "POST";
  c.send_frame(NGHTTP2_HEADERS, kFlags, 1, place(0) + c.pack(post));
  c.send_frame(NGHTTP2_HEADERS, kFlags | NGHTTP2_FLAG_END_STREAM, 1, place(1) + c.pack({{"x", "y"}}));
  c.send_frame(NGHTTP2_PRIORITY, 0, 3, place(1));
  c.request(3, "/");
  CHECK(c.read_response(3).body == "ok");
  s.check_honest();
}

TEST_CASE("streams that are refused before SETTINGS are acknowledged cost their client something, too") {
  Server s(with_probe("server { listen 127.0.0.1:%%PORT_0%%; http2 on; http2_body_preread_size 10; location / { return 200 ok; } }"));
  H2Client c(s.port(), false, H2Client::Start::silent);
  c.send(kPreface);
  c.send_frame(NGHTTP2_SETTINGS, 0, 0);
  try {
    for (std::uint32_t id = 1; id < 10'000; id += 2) c.send_headers(id, get_fields("/"), false);
  } catch (const std::exception&) {  // it does not take any more
  }
  CHECK(c.raw().expect_close(kPatience));
}
