#include "seawall/net/socket.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <thread>
#include <vector>

#include "seawall/async/event.h"
#include "unit/loop_runner.h"
#include "unit/net/pair.h"

using namespace seawall;
using test::LoopRunner;
using test::Pair;

namespace {

Deadline soon(Wait wait = Wait::header) { return Deadline::in(Milliseconds(20), wait); }
Deadline long_after(Wait wait = Wait::header) { return Deadline::in(Milliseconds(60'000), wait); }

std::span<char> room(std::vector<char>& bytes) { return {bytes.data(), bytes.size()}; }

// Reads until try_read would wait; "" and `last` say how it ended.
std::string drain(Socket& socket, Io& last, std::size_t piece = 4096) {
  std::string text;
  std::vector<char> bytes(piece);
  for (;;) {
    last = socket.try_read(room(bytes));
    if (last.kind != Io::done) return text;
    text.append(bytes.data(), last.n);
  }
}

Io write_text(Socket& socket, std::string_view text) {
  const iovec piece{const_cast<char*>(text.data()), text.size()};
  return socket.try_write({&piece, 1});
}

// Writes until the socket is full; how much it took.
std::size_t fill(Socket& socket) {
  const std::string block(60'000, 'x');
  std::size_t total = 0;
  for (;;) {
    const Io io = write_text(socket, block);
    if (io.kind == Io::want_write) return total;
    REQUIRE(io.kind == Io::done);
    total += io.n;
  }
}

// A file in memory with `size` bytes.
Fd memory_file(std::size_t size) {
  Fd file(memfd_create("body", MFD_CLOEXEC));
  const std::string bytes(size, 'f');
  REQUIRE(pwrite(file.get(), bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(size));
  return file;
}

class IgnorePipeSignal {
 public:
  IgnorePipeSignal() : before_(signal(SIGPIPE, SIG_IGN)) {}
  ~IgnorePipeSignal() { signal(SIGPIPE, before_); }

 private:
  sighandler_t before_;
};

}  // namespace

namespace {

// A timer that knows whether it has fired.
struct Told {
  Timer timer{[](Timer& timer) { reinterpret_cast<Told&>(timer).fired = true; }};
  bool fired = false;
};

}  // namespace

TEST_CASE("who waits for something else is told at once when the peer goes") {
  LoopRunner runner;
  Pair pair(Pair::unix_pair);
  Socket socket(std::move(pair.ours));
  Told told;
  socket.tell_when_gone(&told.timer);
  pair.send("x");
  runner.loop.turn(0);
  CHECK_FALSE(told.fired);
  pair.half_close();
  runner.loop.turn(0);
  CHECK(told.fired);
}

TEST_CASE("bytes that come wake a reader, once") {
  LoopRunner runner;
  const auto kind = GENERATE(Pair::unix_pair, Pair::tcp);
  Pair pair(kind);
  Socket socket(std::move(pair.ours));
  std::string text;
  const auto reader = [&]() -> Task<void> {
    Io io = Io::wants_read();
    for (int i = 0; i < 2; ++i) {
      const Errc waited = co_await socket.wait(Socket::reading, long_after());
      REQUIRE(waited == Errc::ok);
      text += drain(socket, io);
      REQUIRE(io.kind == Io::want_read);
      pair.send(i == 0 ? "second" : "third");
    }
  };
  pair.send("first ");
  runner.run(reader());
  CHECK(text == "first second");
}

TEST_CASE("nothing is said to be readable before anything came") {
  LoopRunner runner;
  Pair pair(Pair::tcp);
  Socket socket(std::move(pair.ours));
  std::vector<char> bytes(10);
  CHECK(socket.try_read(room(bytes)).kind == Io::want_read);
  CHECK_FALSE(socket.may_read());
  CHECK_FALSE(socket.peer_gone());
}

TEST_CASE("each direction's wait ends at its own deadline") {
  LoopRunner runner;
  Pair pair(Pair::tcp, 4096);
  Socket socket(std::move(pair.ours));
  Errc read_result = Errc::ok, write_result = Errc::ok;
  std::int64_t read_took = 0, write_took = 0;
  const std::int64_t from = runner.loop.now();
  const auto reader = [&]() -> Task<void> {
    read_result = co_await socket.wait(Socket::reading, Deadline::in(Milliseconds(60), Wait::body));
    read_took = runner.loop.now() - from;
  };
  const auto writer = [&]() -> Task<void> {
    fill(socket);
    write_result = co_await socket.wait(Socket::writing, Deadline::in(Milliseconds(20), Wait::send));
    write_took = runner.loop.now() - from;
  };
  runner.spawn(reader());
  runner.spawn(writer());
  runner.run();
  CHECK(read_result == Errc::timed_out);
  CHECK(write_result == Errc::timed_out);
  CHECK(read_took >= 60'000'000);
  CHECK(write_took >= 20'000'000);
  CHECK(write_took < read_took);
}

TEST_CASE("a deadline made before the loop is total: bytes that drip do not move it") {
  LoopRunner runner;
  Pair pair(Pair::unix_pair);
  Socket socket(std::move(pair.ours));
  Errc last = Errc::ok;
  std::int64_t took = 0;
  bool ended = false;
  const auto reader = [&]() -> Task<void> {
    const std::int64_t from = runner.loop.now();
    const Deadline total = Deadline::in(Milliseconds(50), Wait::header);
    Io io = Io::wants_read();
    for (;;) {
      last = co_await socket.wait(Socket::reading, total);
      if (last != Errc::ok) break;
      drain(socket, io);
    }
    took = runner.loop.now() - from;
    ended = true;
  };
  const auto dripper = [&]() -> Task<void> {
    while (!ended) {
      pair.send("x");
      co_await sleep_until(Deadline::in(Milliseconds(3), Wait::drain));
    }
  };
  runner.spawn(reader());
  runner.spawn(dripper());
  runner.run();
  CHECK(last == Errc::timed_out);
  CHECK(took >= 50'000'000);
  CHECK(took < 5'000'000'000);
}

TEST_CASE("a deadline made in the loop is between two reads") {
  LoopRunner runner;
  Pair pair(Pair::unix_pair);
  Socket socket(std::move(pair.ours));
  int reads = 0;
  const auto reader = [&]() -> Task<void> {
    Io io = Io::wants_read();
    for (;;) {
      const Errc waited = co_await socket.wait(Socket::reading, Deadline::in(Milliseconds(1000), Wait::body));
      if (waited != Errc::ok) break;
      drain(socket, io);
      ++reads;
    }
  };
  const auto dripper = [&]() -> Task<void> {
    for (int i = 0; i < 12; ++i) {  // 12 x 100 ms are more than one gap
      pair.send("x");
      co_await sleep_until(Deadline::in(Milliseconds(100), Wait::drain));
    }
  };
  runner.spawn(reader());
  runner.spawn(dripper());
  runner.run();
  CHECK(reads >= 6);  // on a busy machine several bytes may come in one read
}

TEST_CASE("a later, shorter and a later, longer deadline are both kept by the one timer of a side") {
  LoopRunner runner;
  Pair pair(Pair::unix_pair);
  Socket socket(std::move(pair.ours));
  std::vector<std::int64_t> took;
  const auto reader = [&]() -> Task<void> {
    Io io = Io::wants_read();
    for (const int ms : {60'000, 20, 60, 1, 30}) {
      if (ms == 60'000) pair.send("x");
      const std::int64_t from = runner.loop.now();
      const Errc waited = co_await socket.wait(Socket::reading, Deadline::in(Milliseconds(ms), Wait::idle));
      REQUIRE(waited == (ms == 60'000 ? Errc::ok : Errc::timed_out));
      took.push_back((runner.loop.now() - from) / 1'000'000 - (ms == 60'000 ? 0 : ms));
      drain(socket, io);
    }
    // An armed timer of an earlier wait must not end one that has no deadline.
    pair.send("x");
    const Errc waited = co_await socket.wait(Socket::reading, soon());
    REQUIRE(waited == Errc::ok);
    drain(socket, io);
    const auto other = [&]() -> Task<void> {
      co_await sleep_until(Deadline::in(Milliseconds(40), Wait::drain));
      pair.send("y");
    };
    Scope scope(&co_await current_scope());
    scope.spawn(other());
    const Errc endless = co_await socket.wait(Socket::reading, Deadline::never(Wait::accept));
    REQUIRE(endless == Errc::ok);
    co_await scope.join();
  };
  runner.run(reader());
  for (const std::int64_t late : took) CHECK(late >= 0);
}

TEST_CASE("cancelling ends a wait in either direction, and every later one at once, ready or not") {
  LoopRunner runner;
  Pair pair(Pair::tcp, 4096);
  Socket socket(std::move(pair.ours));
  std::vector<Errc> results;
  Scope own(&runner.scope());
  const auto reader = [&]() -> Task<void> {
    results.push_back(co_await socket.wait(Socket::reading, long_after()));
    results.push_back(co_await socket.wait(Socket::reading, long_after()));
  };
  const auto writer = [&]() -> Task<void> {
    fill(socket);
    results.push_back(co_await socket.wait(Socket::writing, long_after()));
    results.push_back(co_await socket.wait(Socket::writing, long_after()));
  };
  runner.spawn(own, reader());
  runner.spawn(own, writer());
  runner.loop.turn(runner.loop.now());
  CHECK(own.tasks() == 2);
  own.cancel();
  runner.loop.turn(runner.loop.now());
  CHECK(own.empty());
  CHECK(results == std::vector<Errc>(4, Errc::cancelled));

  // Something to read makes no difference to a cancelled task.
  pair.send("x");
  Errc ready = Errc::ok;
  const auto again = [&]() -> Task<void> {
    ready = co_await socket.wait(Socket::reading, long_after());
  };
  while (!socket.may_read()) runner.loop.turn(runner.loop.now() + 1'000'000'000);
  runner.spawn(own, again());
  CHECK(ready == Errc::cancelled);
}

TEST_CASE("a deadline that has passed ends the wait although there is something to read") {
  LoopRunner runner;
  Pair pair(Pair::unix_pair);
  Socket socket(std::move(pair.ours));
  Errc waited = Errc::ok;
  pair.send("x");
  const auto reader = [&]() -> Task<void> {
    co_await socket.wait(Socket::reading, long_after());
    const Deadline total = Deadline::at(runner.loop.now(), Wait::linger);
    waited = co_await socket.wait(Socket::reading, total);
  };
  runner.run(reader());
  CHECK(waited == Errc::timed_out);
}

TEST_CASE("interrupt ends a pending wait with its reason, and only a pending one") {
  LoopRunner runner;
  Pair pair(Pair::unix_pair);
  Socket socket(std::move(pair.ours));
  std::vector<Errc> results;
  const auto reader = [&]() -> Task<void> {
    results.push_back(co_await socket.wait(Socket::reading, long_after()));
    results.push_back(co_await socket.wait(Socket::reading, soon()));
  };
  socket.interrupt(Socket::reading, Errc::cancelled);  // nobody waits: nothing happens
  runner.spawn(reader());
  CHECK(socket.has_waiter(Socket::reading));
  CHECK_FALSE(socket.has_waiter(Socket::writing));
  socket.interrupt(Socket::writing, Errc::cancelled);
  socket.interrupt(Socket::reading, Errc::exhausted);
  socket.interrupt(Socket::reading, Errc::cancelled);  // has ended already
  runner.run();
  CHECK(results == std::vector<Errc>{Errc::exhausted, Errc::timed_out});
}

TEST_CASE("a half-closed peer: its bytes, then the end, and ours still reach it") {
  LoopRunner runner;
  const auto kind = GENERATE(Pair::unix_pair, Pair::tcp);
  Pair pair(kind);
  Socket socket(std::move(pair.ours));
  pair.send("last words");
  pair.half_close();
  const auto task = [&]() -> Task<void> {
    const Errc waited = co_await socket.wait(Socket::reading, long_after());
    REQUIRE(waited == Errc::ok);
    while (!socket.peer_gone()) co_await sleep_until(Deadline::in(Milliseconds(1), Wait::drain));
    Io io = Io::wants_read();
    std::string text = drain(socket, io, 4);  // short reads and full ones
    REQUIRE(text == "last words");
    REQUIRE(io.kind == Io::eof);
    REQUIRE(write_text(socket, "heard").kind == Io::done);
    std::vector<char> bytes(4);
    REQUIRE(socket.try_read(room(bytes)).kind == Io::eof);  // as often as one asks
  };
  runner.run(task());
  CHECK(pair.receive() == "heard");
}

TEST_CASE("the end that comes after a short read is not missed") {
  LoopRunner runner;
  const auto kind = GENERATE(Pair::unix_pair, Pair::tcp);
  Pair pair(kind);
  Socket socket(std::move(pair.ours));
  pair.send("abc");
  const auto task = [&]() -> Task<void> {
    const Errc first = co_await socket.wait(Socket::reading, long_after());
    REQUIRE(first == Errc::ok);
    std::vector<char> bytes(100);
    const Io read = socket.try_read(room(bytes));
    REQUIRE(read.n == 3);
    pair.half_close();
    const Errc second = co_await socket.wait(Socket::reading, long_after());
    REQUIRE(second == Errc::ok);
    REQUIRE(socket.try_read(room(bytes)).kind == Io::eof);
  };
  runner.run(task());
}

TEST_CASE("bytes that come between a short read and the wait make the wait end") {
  LoopRunner runner;
  const auto kind = GENERATE(Pair::unix_pair, Pair::tcp);
  Pair pair(kind);
  Socket socket(std::move(pair.ours));
  pair.send("abc");
  const auto task = [&]() -> Task<void> {
    const Errc first = co_await socket.wait(Socket::reading, long_after());
    REQUIRE(first == Errc::ok);
    std::vector<char> bytes(100);
    const Io read = socket.try_read(room(bytes));
    REQUIRE(read.n == 3);
    pair.send("def");
    const Errc second = co_await socket.wait(Socket::reading, long_after());
    REQUIRE(second == Errc::ok);
    const Io more = socket.try_read(room(bytes));
    REQUIRE(more.n == 3);
  };
  runner.run(task());
}

TEST_CASE("a read that fills its room leaves the socket readable") {
  LoopRunner runner;
  Pair pair(Pair::tcp);
  Socket socket(std::move(pair.ours));
  pair.send("abcdef");
  const auto task = [&]() -> Task<void> {
    co_await socket.wait(Socket::reading, long_after());
    std::vector<char> bytes(3);
    std::string text;
    for (int i = 0; i < 2; ++i) {
      const Errc waited = co_await socket.wait(Socket::reading, soon());
      REQUIRE(waited == Errc::ok);
      const Io io = socket.try_read(room(bytes));
      REQUIRE(io.kind == Io::done);
      text.append(bytes.data(), io.n);
    }
    REQUIRE(text == "abcdef");
  };
  runner.run(task());
}

TEST_CASE("peek consumes nothing, not_yet waits for more than was there") {
  LoopRunner runner;
  const auto kind = GENERATE(Pair::unix_pair, Pair::tcp);
  Pair pair(kind);
  Socket socket(std::move(pair.ours));
  pair.send("PRO");
  const auto task = [&]() -> Task<void> {
    const Errc first = co_await socket.wait(Socket::reading, long_after());
    REQUIRE(first == Errc::ok);
    std::vector<char> bytes(100);
    REQUIRE(socket.try_peek(room(bytes)).n == 3);
    REQUIRE(socket.try_peek(room(bytes)).n == 3);
    socket.not_yet();
    const Errc nothing_more = co_await socket.wait(Socket::reading, soon());
    REQUIRE(nothing_more == Errc::timed_out);
    pair.send("XY");
    const Errc more = co_await socket.wait(Socket::reading, long_after());
    REQUIRE(more == Errc::ok);
    REQUIRE(socket.try_peek(room(bytes)).n == 5);
    REQUIRE(socket.try_read(room(bytes)).n == 5);
    REQUIRE(std::string(bytes.data(), 5) == "PROXY");
  };
  runner.run(task());
}

TEST_CASE("a peer that ends while more is awaited ends the wait after not_yet") {
  LoopRunner runner;
  const auto kind = GENERATE(Pair::unix_pair, Pair::tcp);
  Pair pair(kind);
  Socket socket(std::move(pair.ours));
  pair.send("PRO");
  const auto task = [&]() -> Task<void> {
    co_await socket.wait(Socket::reading, long_after());
    std::vector<char> bytes(100);
    REQUIRE(socket.try_peek(room(bytes)).n == 3);
    pair.half_close();
    socket.not_yet();
    const Errc waited = co_await socket.wait(Socket::reading, long_after());
    REQUIRE(waited == Errc::ok);
    REQUIRE(socket.peer_gone());
    REQUIRE(socket.try_peek(room(bytes)).n == 3);  // what a caller must not take for something new
  };
  runner.run(task());
}

TEST_CASE("a peer that sends while nobody reads costs no turns of the loop") {
  LoopRunner runner;
  const auto kind = GENERATE(Pair::unix_pair, Pair::tcp);
  Pair pair(kind);
  Socket socket(std::move(pair.ours));
  const auto busy_elsewhere = [&]() -> Task<void> {
    for (int i = 0; i < 10; ++i) {
      pair.send("more and more");
      co_await sleep_until(Deadline::in(Milliseconds(10), Wait::handler));
    }
    pair.half_close();
    co_await sleep_until(Deadline::in(Milliseconds(50), Wait::handler));
  };
  runner.run(busy_elsewhere());
  CHECK(runner.turns <= 40);  // two a send and a few for the end; a busy loop takes thousands
  CHECK(socket.peer_gone());
}

TEST_CASE("a full socket: the writer waits, and goes on when the peer has read") {
  LoopRunner runner;
  const auto kind = GENERATE(Pair::unix_pair, Pair::tcp);
  Pair pair(kind, 8192);
  Socket socket(std::move(pair.ours));
  std::size_t sent = 0, received = 0;
  int waits = 0;
  constexpr std::size_t kAll = 3'000'000;
  const auto writer = [&]() -> Task<void> {
    const std::string block(50'000, 'x');
    while (sent < kAll) {
      const Io io = write_text(socket, std::string_view(block).substr(0, std::min(block.size(), kAll - sent)));
      if (io.kind == Io::done) {
        sent += io.n;
        continue;
      }
      REQUIRE(io.kind == Io::want_write);
      ++waits;
      const Errc waited = co_await socket.wait(Socket::writing, long_after(Wait::send));
      REQUIRE(waited == Errc::ok);
    }
  };
  const auto peer = [&]() -> Task<void> {
    while (received < kAll) {
      const std::size_t n = pair.receive(30'000).size();
      received += n;
      if (n == 0) co_await sleep_until(Deadline::in(Milliseconds(1), Wait::drain));
    }
  };
  runner.spawn(writer());
  runner.spawn(peer());
  runner.run();
  CHECK(received == kAll);
  CHECK(waits > 0);
}

TEST_CASE("one call takes at most kLargestSend, whatever is offered, over as many pieces") {
  LoopRunner runner;
  Pair pair(Pair::unix_pair, 1 << 20);
  Socket socket(std::move(pair.ours));
  const std::string large(200'000, 'a');
  CHECK(write_text(socket, large).n == kLargestSend);
  CHECK(pair.receive().size() == kLargestSend);
  std::vector<iovec> pieces(100, iovec{const_cast<char*>("0123456789"), 10});
  pieces[1].iov_len = 0;
  const Io io = socket.try_write(pieces);
  REQUIRE(io.kind == Io::done);
  CHECK(io.n == 150);  // 16 pieces a call
  CHECK(pair.receive().size() == 150);
}

TEST_CASE("a reset shows as a failure to the reader, and ends its wait and the writer's") {
  const IgnorePipeSignal ignore;
  LoopRunner runner;
  Pair pair(Pair::tcp, 4096);
  Socket socket(std::move(pair.ours));
  Errc read_wait = Errc::cancelled, write_wait = Errc::cancelled;
  const auto reader = [&]() -> Task<void> { read_wait = co_await socket.wait(Socket::reading, long_after()); };
  const auto writer = [&]() -> Task<void> {
    fill(socket);
    write_wait = co_await socket.wait(Socket::writing, long_after());
  };
  runner.spawn(reader());
  runner.spawn(writer());
  pair.reset();
  runner.run();
  CHECK(read_wait == Errc::ok);
  CHECK(write_wait == Errc::ok);
  CHECK(socket.peer_gone());
  Io io = Io::wants_read();
  drain(socket, io);
  REQUIRE(io.kind == Io::failed);
  CHECK(io.error == ECONNRESET);
  const Io write = write_text(socket, "x");
  REQUIRE(write.kind == Io::failed);
  CHECK(write.error == EPIPE);
  const Fd file = memory_file(10);
  CHECK(socket.try_send_file(file.get(), 0, 10).kind == Io::failed);
}

TEST_CASE("what the peer sees of an orderly end and of a reset") {
  LoopRunner runner;
  SECTION("orderly") {
    Pair pair(Pair::tcp);
    Socket socket(std::move(pair.ours));
    socket.shut_down_writing();
    CHECK(pair.end_seen_by_peer() == 0);
    pair.send("still heard");
    while (!socket.may_read()) runner.loop.turn(runner.loop.now() + 1'000'000'000);
    Io io = Io::wants_read();
    CHECK(drain(socket, io) == "still heard");
  }
  SECTION("reset") {
    Pair pair(Pair::tcp);
    {
      Socket socket(std::move(pair.ours));
      socket.reset();
    }
    CHECK(pair.end_seen_by_peer() == ECONNRESET);
  }
}

TEST_CASE("sendfile sends a part, in pieces of at most kLargestSend, and sees a file that got shorter") {
  LoopRunner runner;
  Pair pair(Pair::unix_pair, 1 << 20);
  Socket socket(std::move(pair.ours));
  const Fd file = memory_file(100'000);
  CHECK(socket.try_send_file(file.get(), 99'990, 10).n == 10);
  CHECK(pair.receive() == "ffffffffff");
  const Io large = socket.try_send_file(file.get(), 0, 100'000);
  REQUIRE(large.kind == Io::done);
  CHECK(large.n <= kLargestSend);
  pair.receive();
  REQUIRE(ftruncate(file.get(), 50) == 0);
  CHECK(socket.try_send_file(file.get(), 0, 100).n == 50);
  CHECK(socket.try_send_file(file.get(), 50, 50).kind == Io::eof);
  CHECK(socket.try_send_file(file.get(), 1'000, 50).kind == Io::eof);
}

TEST_CASE("sendfile into a full socket waits like any write") {
  LoopRunner runner;
  const auto kind = GENERATE(Pair::unix_pair, Pair::tcp);
  Pair pair(kind, 8192);
  Socket socket(std::move(pair.ours));
  constexpr std::size_t kAll = 2'000'000;
  const Fd file = memory_file(kAll);
  std::size_t sent = 0, received = 0;
  int waits = 0;
  const auto writer = [&]() -> Task<void> {
    while (sent < kAll) {
      const Io io = socket.try_send_file(file.get(), sent, kAll - sent);
      if (io.kind == Io::done) {
        sent += io.n;
        continue;
      }
      REQUIRE(io.kind == Io::want_write);
      ++waits;
      const Errc waited = co_await socket.wait(Socket::writing, long_after(Wait::send));
      REQUIRE(waited == Errc::ok);
    }
  };
  const auto peer = [&]() -> Task<void> {
    while (received < kAll) {
      const std::size_t n = pair.receive(50'000).size();
      received += n;
      if (n == 0) co_await sleep_until(Deadline::in(Milliseconds(1), Wait::drain));
    }
  };
  runner.spawn(writer());
  runner.spawn(peer());
  runner.run();
  CHECK(received == kAll);
  CHECK(waits > 0);
}

TEST_CASE("a peer that floods does not keep others from their turn") {
  LoopRunner runner;
  Pair flood(Pair::tcp), quiet(Pair::unix_pair);
  Socket flooded(std::move(flood.ours)), other(std::move(quiet.ours));
  // As fast as our own reading: every read is followed by as many bytes, so the socket is never empty.
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  std::size_t swallowed = 0;
  bool stop = false;
  Errc flood_end = Errc::ok;
  const auto reader = [&]() -> Task<void> {
    std::vector<char> bytes(16'384);
    const std::string more(16'384, 'x');
    const Deadline total = Deadline::in(Milliseconds(100), Wait::linger);
    for (int i = 0; i < 8; ++i) flood.send(more);
    while (!stop && flood_end == Errc::ok) {
      const Io io = flooded.try_read(room(bytes));
      if (io.kind == Io::done) {
        swallowed += io.n;
        REQUIRE(std::chrono::steady_clock::now() < patience);  // it would go on for ever
        flood.send(std::string_view(more).substr(0, io.n));
        continue;
      }
      REQUIRE(io.kind == Io::want_read);
      flood_end = co_await flooded.wait(Socket::reading, total);
    }
  };
  SECTION("another socket is served") {
    const auto patient = [&]() -> Task<void> {
      const Errc waited = co_await other.wait(Socket::reading, long_after());
      REQUIRE(waited == Errc::ok);
      stop = true;
    };
    runner.spawn(patient());
    runner.spawn(reader());
    quiet.send("x");
    runner.run();
    CHECK(flood_end == Errc::ok);
  }
  SECTION("the total deadline holds") {
    runner.run(reader());
    CHECK(flood_end == Errc::timed_out);
  }
  CHECK(swallowed > 50'000);
}

TEST_CASE("a peer that reads as fast as we write does not keep others from their turn") {
  LoopRunner runner;
  Pair fast(Pair::unix_pair), quiet(Pair::unix_pair);
  Socket writer_socket(std::move(fast.ours)), other(std::move(quiet.ours));
  const Fd file = memory_file(60'000);
  bool stop = false;
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  std::size_t sent = 0;
  const bool by_sendfile = GENERATE(false, true);
  const auto writer = [&]() -> Task<void> {
    const std::string block(60'000, 'x');
    while (!stop) {
      const Io io = by_sendfile ? writer_socket.try_send_file(file.get(), 0, 60'000) : write_text(writer_socket, block);
      fast.receive();
      if (io.kind == Io::done) {
        sent += io.n;
        REQUIRE(std::chrono::steady_clock::now() < patience);
        continue;
      }
      REQUIRE(io.kind == Io::want_write);
      const Errc waited = co_await writer_socket.wait(Socket::writing, long_after(Wait::send));
      REQUIRE(waited == Errc::ok);
    }
  };
  const auto patient = [&]() -> Task<void> {
    const Errc waited = co_await other.wait(Socket::reading, long_after());
    REQUIRE(waited == Errc::ok);
    stop = true;
  };
  runner.spawn(patient());
  quiet.send("x");
  runner.spawn(writer());
  runner.run();
  CHECK(sent > 100'000);
}

TEST_CASE("a socket may die in the turn in which it has had its share") {
  LoopRunner runner;
  Pair pair(Pair::tcp);
  auto socket = std::make_unique<Socket>(std::move(pair.ours));
  const std::string much(150'000, 'x');
  const auto reader = [&]() -> Task<void> {
    std::vector<char> bytes(4'096);
    for (std::size_t n = 0; n < 4'000'000;) {
      const Io io = socket->try_read(room(bytes));
      if (io.kind == Io::want_read) break;
      REQUIRE(io.kind == Io::done);
      n += io.n;
      pair.send(std::string_view(much).substr(0, io.n));
    }
    socket.reset();
    co_return;
  };
  pair.send(much);
  while (!socket->may_read()) runner.loop.turn(runner.loop.now() + 1'000'000'000);
  runner.run(reader());
  runner.loop.turn(runner.loop.now());
  CHECK(socket == nullptr);
}

TEST_CASE("400 sockets wait and are all woken in a few turns") {
  LoopRunner runner;
  std::vector<std::unique_ptr<Pair>> pairs;
  std::vector<std::unique_ptr<Socket>> sockets;
  int woken = 0;
  const auto reader = [&](Socket& socket) -> Task<void> {
    const Errc waited = co_await socket.wait(Socket::reading, long_after());
    if (waited == Errc::ok) ++woken;
  };
  for (int i = 0; i < 400; ++i) {
    pairs.push_back(std::make_unique<Pair>(Pair::unix_pair));
    sockets.push_back(std::make_unique<Socket>(std::move(pairs.back()->ours)));
    runner.spawn(reader(*sockets.back()));
  }
  for (const auto& pair : pairs) pair->send("x");
  runner.run();
  CHECK(woken == 400);
  CHECK(runner.turns < 10);
}
