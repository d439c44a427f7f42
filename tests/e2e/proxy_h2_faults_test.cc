// Upstreams that speak HTTP/2 badly, or end it in the middle: which status, who is asked again, and that nobody else loses by it.
#include <sys/socket.h>

#include <atomic>
#include <functional>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/h2_client.h"
#include "e2e/server.h"
#include "e2e/upstream.h"

using namespace std::chrono_literals;
using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

const H2Fields kOk{{":status", "200"}};

std::string server(std::string_view location, std::string_view outside = {}) {
  return std::string(outside) + " server { listen 127.0.0.1:%%PORT_0%%; http2 on; proxy_http_version 2; " + std::string(location) + " }";
}
std::string pass_to(const Upstream& up, std::string_view more = {}) {
  return server("location / { proxy_pass " + up.url() + "; " + std::string(more) + " }");
}
std::string upstream(std::initializer_list<const Upstream*> ups, std::string_view more = {}) {
  std::string text = "upstream u { ";
  for (const Upstream* up : ups) text += "server 127.0.0.1:" + std::to_string(up->port()) + "; ";
  return text + std::string(more) + " }";
}

}  // namespace

TEST_CASE("HTTP/2 from an upstream that is no response is 502") {
  struct Fault {
    const char* name;
    std::function<void(H2Peer&, std::uint32_t)> act;
    const char* logged;
  };
  const auto fields = [](H2Fields list) { return [=](H2Peer& p, std::uint32_t stream) { p.send_headers(stream, list, true); }; };
  const std::vector<Fault> faults{
      {"no status", fields({{"a", "b"}}), "upstream sent no :status header"},
      {"two statuses", fields({{":status", "200"}, {":status", "200"}}), "upstream sent duplicate :status header"},
      {"101", fields({{":status", "101"}}), "upstream sent unexpected :status"},
      {"response splitting", fields({{":status", "200"}, {"a", "b\r\nset-cookie: c"}}), "upstream sent invalid header"},
      {"capitals", fields({{":status", "200"}, {"A", "b"}}), "upstream sent invalid header"},
      {"of a connection", fields({{":status", "200"}, {"transfer-encoding", "chunked"}}), "upstream sent invalid header"},
      {"two lengths", fields({{":status", "200"}, {"content-length", "0"}, {"content-length", "0"}}), "upstream sent duplicate header line"},
      {"too short", fields({{":status", "200"}, {"content-length", "1"}}), "upstream prematurely closed stream"},
      {"a large head", fields({{":status", "200"}, {"a", std::string(40'000, 'a')}, {"b", std::string(40'000, 'b')}}), "upstream"},
      {"interim alone", fields({{":status", "103"}}), "upstream prematurely closed stream"},
      {"DATA first", [](H2Peer& p, std::uint32_t stream) { p.send_data(stream, "x", true); }, "upstream broke HTTP/2"},
      {"DATA behind an interim head",
       [](H2Peer& p, std::uint32_t stream) {
         p.send_headers(stream, {{":status", "103"}}, false);
         p.send_data(stream, "x", true);
       },
       "upstream sent a data frame before the response header"},
      {"RST_STREAM", [](H2Peer& p, std::uint32_t stream) { p.reset(stream, NGHTTP2_INTERNAL_ERROR); }, "upstream rejected request with error 2"},
      {"GOAWAY", [](H2Peer& p, std::uint32_t) { p.send_frame(NGHTTP2_GOAWAY, 0, 0, number_bytes(0) + number_bytes(5)); },
       "upstream sent goaway with error 5"},
      {"garbage", [](H2Peer& p, std::uint32_t) { p.send(std::string(2000, '\xff')); }, "upstream"},
      {"bad HPACK", [](H2Peer& p, std::uint32_t stream) { p.send_frame(NGHTTP2_HEADERS, 5, stream, "\xff\xff\xff\xff\xff\xff"); }, "upstream"},
      {"push", [](H2Peer& p, std::uint32_t stream) { p.send_frame(NGHTTP2_PUSH_PROMISE, 4, stream, number_bytes(2) + p.pack(get_fields("/"))); },
       "upstream"},
      {"another stream", [](H2Peer& p, std::uint32_t) { p.send_headers(9, kOk, true); }, "upstream"},
      {"the end", [](H2Peer& p, std::uint32_t) { ::shutdown(p.raw().fd(), SHUT_WR); }, "upstream prematurely closed connection"},
  };
  for (const Fault& fault : faults) {
    CAPTURE(fault.name);
    Upstream up(play(fault.act));
    Server s(pass_to(up));
    CHECK(get(s.url("/")).status == 502);
    CHECK_THAT(s.error_log(), ContainsSubstring(fault.logged));
    CHECK(up.connections() == 1);
    CHECK(up.failure() == "");
  }
}

TEST_CASE("an upstream that answers HTTP/2 with HTTP/1 is 502, and the log says so") {
  Upstream up([](RawClient& c) {
    c.read(24);
    c.send("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    c.expect_close(kPatience);
  });
  Server s(pass_to(up));
  CHECK(get(s.url("/")).status == 502);
  CHECK_THAT(s.error_log(), ContainsSubstring("upstream sent an HTTP/1 response to an HTTP/2 request"));
}

TEST_CASE("HTTP/2 from an upstream: a body of another length than announced, and one that breaks off, are no whole ones") {
  using Act = std::function<void(H2Peer&, std::uint32_t)>;
  const auto [data, ends, then] = GENERATE(table<std::string, bool, Act>({
      {"abcdef", true, [](H2Peer&, std::uint32_t) {}},
      {"abc", true, [](H2Peer&, std::uint32_t) {}},
      {"abc", false, [](H2Peer& p, std::uint32_t stream) { p.reset(stream, NGHTTP2_CANCEL); }},
      {"abc", false, [](H2Peer& p, std::uint32_t stream) { p.send_headers(stream, kOk, true); }},
      {"abc", false, [](H2Peer& p, std::uint32_t) { ::shutdown(p.raw().fd(), SHUT_WR); }},
  }));
  Upstream up(play([data = data, ends = ends, then = then](H2Peer& peer, std::uint32_t stream) {
    peer.send_headers(stream, {{":status", "200"}, {"content-length", "5"}}, false);
    peer.send_data(stream, data, ends);
    then(peer, stream);
  }));
  Server s(pass_to(up));
  H2Client c(s.port());
  c.request(1, "/");
  const H2Response r = c.read_response(1);
  CHECK((r.status == 502 || r.reset >= 0));
  if (r.status == 200) CHECK(r.body.size() <= 5);
}

TEST_CASE("HTTP/2 from an upstream: what has no body has none") {
  Upstream up(play([](H2Peer& peer, std::uint32_t stream) {
    peer.send_headers(stream, {{":status", "204"}}, false);
    peer.send_data(stream, "smuggled", true);
  }));
  Server s(pass_to(up));
  RawClient c(s.port());
  c.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  CHECK_THAT(c.read_all(), !ContainsSubstring("smuggled"));
}

TEST_CASE("HTTP/2 to an upstream: a request that it has not begun with is asked again, a POST too") {
  std::atomic<int> asked = 0;
  const bool goaway = GENERATE(true, false);
  Upstream up([&](RawClient& c) {
    const int turn = ++asked;
    H2Peer peer(std::move(c));
    const Frame first = peer.wait_for(NGHTTP2_HEADERS);
    peer.respond(first.stream, kOk, std::to_string(turn));
    if (turn > 1) return void(peer.raw().expect_close(kPatience));
    const Frame second = peer.wait_for(NGHTTP2_HEADERS);
    if (goaway) peer.send_frame(NGHTTP2_GOAWAY, 0, 0, number_bytes(first.stream) + number_bytes(NGHTTP2_NO_ERROR));
    else peer.reset(second.stream, NGHTTP2_REFUSED_STREAM);
    peer.raw().expect_close(kPatience);
  });
  Server s(server("location / { proxy_pass http://u; }", upstream({&up})));
  CHECK(get(s.url("/")).body == "1");
  Request post;
  post.url = s.url("/");
  post.method = "POST";
  post.body = "x";
  CHECK(fetch(post).body == "2");
  CHECK(up.failure() == "");
}

TEST_CASE("HTTP/2 to an upstream: one that refuses everything is asked no more than there are servers") {
  Upstream up([](RawClient& c) {
    H2Peer peer(std::move(c));
    peer.reset(peer.wait_for(NGHTTP2_HEADERS).stream, NGHTTP2_REFUSED_STREAM);
    peer.raw().expect_close(kPatience);
  });
  Server s(server("location / { proxy_pass http://u; }", upstream({&up})));
  CHECK(get(s.url("/")).status == 502);
  CHECK(up.connections() == 1);
}

TEST_CASE("HTTP/2 to an upstream: GOAWAY lets what has begun end, and the next request takes another connection") {
  std::atomic<int> turn = 0;
  Upstream up([&](RawClient& c) {
    H2Peer peer(std::move(c));
    const bool first = ++turn == 1;
    const Frame request = peer.wait_for(NGHTTP2_HEADERS);
    peer.send_headers(request.stream, kOk, false);
    peer.send_data(request.stream, "one", false);
    if (first) peer.send_frame(NGHTTP2_GOAWAY, 0, 0, number_bytes(request.stream) + number_bytes(NGHTTP2_NO_ERROR));
    peer.send_data(request.stream, " two", true);
    peer.raw().expect_close(kPatience);
  });
  Server s(server("location / { proxy_pass http://u; }", upstream({&up})));
  CHECK(get(s.url("/")).body == "one two");
  CHECK(get(s.url("/")).body == "one two");
  CHECK(up.connections() == 2);
}

TEST_CASE("HTTP/2 to an upstream: a connection that has ended while idle costs no request") {
  Upstream up([](RawClient& c) {
    H2Peer peer(std::move(c));
    peer.respond(peer.wait_for(NGHTTP2_HEADERS).stream, kOk, "x");
    ::shutdown(peer.raw().fd(), SHUT_WR);
    peer.raw().expect_close(kPatience);
  });
  Server s(server("location / { proxy_pass http://u; }", upstream({&up})));
  for (int i = 0; i < 5; ++i) CHECK(get(s.url("/")).status == 200);
}

TEST_CASE("HTTP/2 to an upstream: a reset stream ends alone") {
  Upstream up([](RawClient& c) {
    H2Peer peer(std::move(c));
    const Frame first = peer.wait_for(NGHTTP2_HEADERS);
    peer.send_headers(first.stream, kOk, false);
    peer.send_data(first.stream, "one", false);
    const Frame second = peer.wait_for(NGHTTP2_HEADERS);
    peer.reset(second.stream, NGHTTP2_INTERNAL_ERROR);
    const Frame third = peer.wait_for(NGHTTP2_HEADERS);
    peer.send_headers(third.stream, {{":status", "200"}, {"a", "b\nc"}}, true);
    if (peer.wait_for(NGHTTP2_RST_STREAM, third.stream).error_code() != NGHTTP2_PROTOCOL_ERROR) throw std::runtime_error("another code");
    peer.send_data(first.stream, " two", true);
    peer.raw().expect_close(kPatience);
  });
  Server s(server("location / { proxy_pass http://u; proxy_buffering off; proxy_next_upstream off; }", upstream({&up})));
  H2Client c(s.port());
  c.request(1, "/");
  CHECK(c.wait_for(NGHTTP2_DATA, 1).payload == "one");
  for (const std::uint32_t stream : {3u, 5u}) {
    c.request(stream, "/");
    CHECK(c.read_response(stream).status == 502);
  }
  CHECK(c.read_response(1).body == " two");
  CHECK(up.connections() == 1);
  CHECK(up.failure() == "");
}

TEST_CASE("HTTP/2 to an upstream: a client that leaves resets its stream, and no other") {
  Upstream up([](RawClient& c) {
    H2Peer peer(std::move(c));
    const Frame first = peer.wait_for(NGHTTP2_HEADERS), second = peer.wait_for(NGHTTP2_HEADERS);
    const bool first_is_left = field(first.fields, ":path") == "/left";
    const std::uint32_t left = first_is_left ? first.stream : second.stream, stays = first_is_left ? second.stream : first.stream;
    peer.send_headers(left, kOk, false);
    peer.send_data(left, "x", false);
    if (peer.wait_for(NGHTTP2_RST_STREAM, left).error_code() != NGHTTP2_CANCEL) throw std::runtime_error("another code");
    peer.respond(stays, kOk, "stays");
    peer.raw().expect_close(kPatience);
  });
  Server s(server("location / { proxy_pass http://u; proxy_buffering off; }", upstream({&up})));
  H2Client c(s.port());
  c.request(1, "/left");
  c.request(3, "/stays");
  c.wait_for(NGHTTP2_DATA, 1);
  c.reset(1);
  CHECK(c.read_response(3).body == "stays");
  CHECK(up.failure() == "");
}

TEST_CASE("HTTP/2 to an upstream: timeouts are the request's, and a connection that is silent is not shared any more") {
  std::atomic<int> turn = 0;
  Upstream up([&](RawClient& c) {
    H2Peer peer(std::move(c));
    // The first answer says that both have their settings: from there on it is silent.
    peer.respond(peer.wait_for(NGHTTP2_HEADERS).stream, kOk, ++turn == 1 ? "first" : "second");
    peer.raw().expect_close(kPatience);
  });
  Server s(server("location / { proxy_pass http://u; proxy_read_timeout 200ms; proxy_next_upstream off; } "
                  "location /patient { proxy_pass http://u; proxy_next_upstream off; }", upstream({&up}, "keepalive 2;")));
  CHECK(get(s.url("/patient")).body == "first");
  CHECK(get(s.url("/")).status == 504);
  CHECK_THAT(s.error_log(), ContainsSubstring("upstream timed out (110: Connection timed out) while reading response header from upstream"));
  CHECK(get(s.url("/patient")).body == "second");
  CHECK(up.failure() == "");
}

TEST_CASE("HTTP/2 to an upstream: a window that stays shut is a timeout of sending") {
  Upstream up([](RawClient& c) {
    H2Peer peer(std::move(c));
    const Frame request = peer.wait_for(NGHTTP2_HEADERS);
    std::size_t got = 0;
    while (got < 65'535) got += peer.wait_for(NGHTTP2_DATA, request.stream).payload.size();
    if (got > 65'535) throw std::runtime_error("more than the window");
    peer.wait_for(NGHTTP2_RST_STREAM, request.stream);
    peer.raw().expect_close(kPatience);
  });
  Server s(pass_to(up, "proxy_send_timeout 200ms;"));
  Request post;
  post.url = s.url("/");
  post.method = "POST";
  post.body = std::string(500'000, 'x');
  CHECK(fetch(post).status == 504);
  CHECK_THAT(s.error_log(), ContainsSubstring("upstream timed out (110: Connection timed out) while sending request to upstream"));
  CHECK(up.failure() == "");
}

TEST_CASE("HTTP/2 to an upstream: an answer before the end of the upload is passed on") {
  Upstream up(play([](H2Peer& peer, std::uint32_t stream) {
    peer.respond(stream, {{":status", "413"}}, "too large");
    peer.reset(stream, NGHTTP2_NO_ERROR);
  }));
  Server s(pass_to(up));
  Request post;
  post.url = s.url("/");
  post.method = "POST";
  post.body = std::string(500'000, 'x');
  const Response r = fetch(post);
  CHECK(r.status == 413);
  CHECK(r.body == "too large");
}

TEST_CASE("HTTP/2 to an upstream: the next server is asked when one breaks off") {
  Upstream bad(play([](H2Peer& peer, std::uint32_t) { ::shutdown(peer.raw().fd(), SHUT_WR); }));
  Upstream good(answers(kOk, "good"));
  Server s(server("location / { proxy_pass http://u; add_header X-Upstream \"$upstream_addr $upstream_status\"; }", upstream({&bad, &good})));
  const Response r = get(s.url("/"));
  CHECK(r.body == "good");
  CHECK_THAT(r.header("X-Upstream"), ContainsSubstring(", ") && ContainsSubstring("502, 200"));
}
