// Requests that share an HTTP/2 connection, with the server's frames written by hand.
#include "seawall/upstream/h2_pool.h"

#include "catch.h"
#include "unit/loop_runner.h"
#include "unit/net/pair.h"

using namespace seawall;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view kOk = "\x88";         // :status: 200
constexpr std::string_view kNotFound = "\x8d";   // :status: 404
constexpr int kHeaders = 1, kData = 0, kReset = 3, kSettings = 4, kGoaway = 7, kEnd = 1, kEndHeaders = 4;

std::string number(std::uint32_t n) { return {char(n >> 24), char(n >> 16), char(n >> 8), char(n)}; }
std::string frame(int type, int flags, std::uint32_t stream, std::string_view payload = {}) {
  std::string bytes = number(static_cast<std::uint32_t>(payload.size())).substr(1);
  bytes += static_cast<char>(type);
  bytes += static_cast<char>(flags);
  return bytes.append(number(stream)).append(payload);
}

// A pool with one connection, and the server's end of it.
class Fixture {
 public:
  Fixture() {
    group.keepalive = 1;
    connection = pool.open(std::make_unique<Stream>(std::move(pair.ours)), H2Key());
    request = Headers();
    for (const auto& [name, value] : {std::pair<const char*, const char*>{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a"}})
      request.add(name, value);
  }
  // Turns until this holds.
  template <class F>
  void until(F holds) {
    for (int i = 0; i < 1000 && !holds(); ++i) r.loop.turn(r.loop.now() + 1'000'000);
    REQUIRE(holds());
  }
  // Turns until the server has heard this.
  void hear(const std::string& bytes) {
    until([&] { return (heard += pair.receive()).find(bytes) != std::string::npos; });
  }
  void hear_request(std::uint32_t stream, bool ends = true) { hear(std::string{kHeaders, char(kEndHeaders | (ends ? kEnd : 0))} + number(stream)); }
  // Everybody leaves.
  void end() {
    connection.reset();
    pair.half_close();
    r.loop.scope().cancel();
    r.run(nothing());
  }
  static Task<void> nothing() { co_return; }

  test::LoopRunner r;
  Group group;
  H2Pool pool{r.loop, group};
  test::Pair pair{test::Pair::unix_pair};
  std::string heard;
  std::shared_ptr<H2Upstream> connection;
  Headers request;
};

std::string body_of(H2Request& request) {
  std::string body;
  char room[100];
  for (;;) {
    const Io io = request.try_read(room);
    if (io.kind != Io::done || io.n == 0) return body;
    body.append(room, io.n);
  }
}

}  // namespace

TEST_CASE("requests share a connection, and each gets its own answer") {
  Fixture f;
  {
    H2Request a(f.connection), b(f.connection);
    a.submit(f.request, false, false, 1000);
    b.submit(f.request, false, false, 1000);
    CHECK(f.connection->active() == 2);
    f.hear_request(3);
    CHECK(f.pool.find(H2Key()) == f.connection);
    f.pair.send(frame(kSettings, 0, 0) + frame(kHeaders, kEndHeaders, 3, kNotFound) + frame(kHeaders, kEndHeaders, 1, kOk) + frame(kData, kEnd, 3, "bbb") +
          frame(kData, 0, 1, "aa"));
    f.until([&] { return b.end() == H2End::ended; });
    const auto head = b.take_head();
    REQUIRE(head);
    CHECK(head->status == 404);
    CHECK(body_of(b) == "bbb");
    CHECK(b.is_over());
    CHECK(a.take_head()->status == 200);
    CHECK(body_of(a) == "aa");
    CHECK(a.end() == H2End::none);
    f.pair.send(frame(kData, kEnd, 1));
    f.until([&] { return a.is_over(); });
  }
  CHECK(f.connection->active() == 0);
  f.end();
}

TEST_CASE("a request that is given up resets its stream, and the connection serves others") {
  Fixture f;
  auto a = std::make_unique<H2Request>(f.connection);
  a->submit(f.request, true, false, 1000);
  f.hear_request(1, false);
  CHECK(f.heard.starts_with("PRI * HTTP/2.0"));
  a.reset();
  f.hear(frame(kReset, 0, 1, number(8)));
  CHECK(f.pool.find(H2Key()) == f.connection);
  f.end();
}

TEST_CASE("what a server has not begun with is refused, what it has ends") {
  Fixture f;
  {
    H2Request a(f.connection), b(f.connection);
    a.submit(f.request, false, false, 1000);
    b.submit(f.request, false, false, 1000);
    f.hear_request(3);
    f.pair.send(frame(kSettings, 0, 0) + frame(kGoaway, 0, 0, number(1) + number(0)) + frame(kHeaders, kEndHeaders | kEnd, 1, kOk));
    f.until([&] { return b.end() != H2End::none && a.end() != H2End::none; });
    CHECK(a.end() == H2End::ended);
    CHECK(b.end() == H2End::refused);
    CHECK(f.pool.find(H2Key()) == nullptr);
  }
  f.end();
}

TEST_CASE("a connection that ends takes its requests with it") {
  Fixture f;
  {
    H2Request a(f.connection);
    a.submit(f.request, false, false, 1000);
    f.hear_request(1);
    f.pair.half_close();
    f.until([&] { return a.end() == H2End::lost; });
    char room[10];
    CHECK(a.try_read(room).kind == Io::eof);
  }
  f.end();
}

TEST_CASE("what a request has to send waits for the server's window") {
  Fixture f;
  {
    H2Request a(f.connection);
    a.submit(f.request, true, false, 1000);
    f.pair.send(frame(kSettings, 0, 0, std::string("\0\4", 2) + number(10)));
    f.hear(frame(kSettings, 1, 0));
    const std::string body = "twenty bytes of data";
    const iovec piece{const_cast<char*>(body.data()), body.size()};
    a.ends_after(body.size());
    CHECK(a.try_write({&piece, 1}).n == body.size());
    f.hear("twenty byt");
    CHECK(f.heard.find("es of data") == std::string::npos);
    f.pair.send(frame(8, 0, 1, number(100)));
    f.hear(frame(kData, kEnd, 1, "es of data"));
  }
  f.end();
}
