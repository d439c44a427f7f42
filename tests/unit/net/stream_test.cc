#include "seawall/net/stream.h"

#include <signal.h>

#include <vector>

#include "seawall/async/event.h"
#include "unit/loop_runner.h"
#include "unit/net/pair.h"

using namespace seawall;
using test::LoopRunner;
using test::Pair;

namespace {

Deadline long_after() { return Deadline::in(Milliseconds(60'000), Wait::body); }

Task<void> read_once(Stream& stream, std::string& text, std::error_code& error, Deadline deadline) {
  std::vector<char> bytes(100);
  Result<std::size_t> n = co_await read_some(stream, {bytes.data(), bytes.size()}, deadline);
  if (n) text.assign(bytes.data(), *n);
  error = n.error();
}

}  // namespace

TEST_CASE("read_some gives what is there, the peer's end, its reset, the deadline's end, the cancel") {
  LoopRunner runner;
  Pair pair(Pair::tcp);
  Stream stream(std::move(pair.ours));
  std::string text;
  std::error_code error;
  pair.send("hello");
  runner.run(read_once(stream, text, error, long_after()));
  CHECK(text == "hello");
  CHECK_FALSE(error);

  runner.run(read_once(stream, text, error, Deadline::in(Milliseconds(10), Wait::body)));
  CHECK(error == Errc::timed_out);

  Scope own(&runner.scope());
  runner.spawn(own, read_once(stream, text, error, long_after()));
  own.cancel();
  runner.loop.turn(runner.loop.now());
  CHECK(error == Errc::cancelled);

  SECTION("the end") {
    pair.half_close();
    runner.run(read_once(stream, text, error, long_after()));
    CHECK(error == Errc::peer_closed);
  }
  SECTION("the reset") {
    pair.reset();
    runner.run(read_once(stream, text, error, long_after()));
    CHECK(error == Errc::peer_reset);
  }
}

TEST_CASE("write_all sends everything to a slow reader, and gives up on one that stands still") {
  signal(SIGPIPE, SIG_IGN);
  LoopRunner runner;
  Pair pair(Pair::tcp, 8192);
  Stream stream(std::move(pair.ours));
  const std::string body(1'000'000, 'b');
  std::size_t received = 0;
  std::error_code error = Errc::exhausted;
  const auto writer = [&](Milliseconds gap) -> Task<void> {
    Result<void> sent = co_await write_all(stream, body, gap, Wait::send);
    error = sent.error();
  };
  const auto peer = [&]() -> Task<void> {
    while (received < body.size()) {
      received += pair.receive(20'000).size();
      co_await sleep_until(Deadline::in(Milliseconds(1), Wait::drain));
    }
  };
  runner.spawn(writer(Milliseconds(60'000)));
  runner.spawn(peer());
  runner.run();
  CHECK_FALSE(error);
  CHECK(received == body.size());

  runner.run(writer(Milliseconds(20)));
  CHECK(error == Errc::timed_out);
  pair.reset();
  runner.run(writer(Milliseconds(60'000)));
  CHECK(error == Errc::peer_reset);
}

TEST_CASE("the stages of an Io as errors") {
  CHECK(error_of(Io::ended()) == Errc::peer_closed);
  CHECK(error_of(Io::fail(0)) == Errc::tls_failed);
  CHECK(error_of(Io::fail(EPIPE)) == Errc::peer_reset);
  CHECK(error_of(Io::fail(ECONNRESET)) == Errc::peer_reset);
  CHECK(error_of(Io::fail(ETIMEDOUT)) == std::errc::timed_out);
  CHECK(describe(error_of(Io::fail(ETIMEDOUT))) == "(110: Connection timed out)");
}
