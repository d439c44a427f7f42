#include "seawall/net/listener.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <functional>
#include <vector>

#include "seawall/net/address.h"
#include "unit/loop_runner.h"

using namespace seawall;
using test::LoopRunner;

namespace {

// A listening socket on a free port of loopback.
class Port {
 public:
  Port() : fd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    const auto any = Address::parse_ip("127.0.0.1", 0);
    REQUIRE(any);
    REQUIRE(bind(fd.get(), any->data(), any->size()) == 0);
    REQUIRE(listen(fd.get(), 511) == 0);
    address = *Address::local_of(fd.get());
  }
  // A client; its connect is done by the kernel, whether anybody accepts or not.
  Fd connect() const {
    Fd client(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    ::connect(client.get(), address.data(), address.size());
    return client;
  }
  Fd fd;
  Address address;
};

class Taker final : public Acceptor {
 public:
  void accepted(Fd fd) override { taken.push_back(std::move(fd)); }
  bool make_room() override {
    ++asked_for_room;
    if (closable == 0 || taken.empty()) return false;
    --closable;
    taken.erase(taken.begin());
    return true;
  }
  void accept_failed(int error) override { errors.push_back(error); }
  std::vector<Fd> taken;
  std::vector<int> errors;
  int asked_for_room = 0, closable = 0;
};

// Lowers RLIMIT_NOFILE so that descriptors up to `highest` exist, and uses up all holes below `free_from`.
class FewDescriptors {
 public:
  FewDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    int fd = dup(2);
    for (; fd < 100; fd = dup(2)) fillers_.emplace_back(fd);
    close(fd);  // from 100 on the numbers are free
    rlimit low = before_;
    low.rlim_cur = 100 + kFree;
    REQUIRE(setrlimit(RLIMIT_NOFILE, &low) == 0);
  }
  ~FewDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }
  // Takes what is left, so that accept4 itself fails.
  void use_up() {
    for (int fd = dup(2); fd >= 0; fd = dup(2)) fillers_.emplace_back(fd);
  }
  void give_back(std::size_t n) {
    while (n-- > 0 && !fillers_.empty()) fillers_.pop_back();
  }
  static constexpr int kFree = 40;

 private:
  rlimit before_{};
  std::vector<Fd> fillers_;
};

bool turn_until(LoopRunner& runner, const std::function<bool()>& done) {
  const std::int64_t limit = runner.loop.now() + 20'000'000'000;
  while (!done() && runner.loop.now() < limit) runner.loop.turn(limit);
  return done();
}

}  // namespace

TEST_CASE("a listener accepts whatever comes, many in a burst too, and stops when it is cancelled") {
  LoopRunner runner;
  const Port port;
  Taker taker;
  Listener listener(port.fd.get(), taker);
  Scope accepting(&runner.scope());
  runner.spawn(accepting, listener.run());
  std::vector<Fd> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(port.connect());
  CHECK(turn_until(runner, [&] { return taker.taken.size() == 100; }));
  accepting.cancel();
  runner.loop.turn(runner.loop.now());
  CHECK(accepting.empty());
  const Fd late = port.connect();
  const std::int64_t until = runner.loop.now() + 20'000'000;
  int turns = 0;
  for (; runner.loop.now() < until; ++turns) runner.loop.turn(until);
  CHECK(taker.taken.size() == 100);
  CHECK(turns < 20);  // nobody watches the socket any more
  CHECK(taker.errors.empty());
}

TEST_CASE("accepted sockets neither block nor leak into children") {
  LoopRunner runner;
  const Port port;
  Taker taker;
  Listener listener(port.fd.get(), taker);
  runner.spawn(listener.run());
  const Fd client = port.connect();
  REQUIRE(turn_until(runner, [&] { return !taker.taken.empty(); }));
  CHECK((fcntl(taker.taken[0].get(), F_GETFL) & O_NONBLOCK) != 0);
  CHECK((fcntl(taker.taken[0].get(), F_GETFD) & FD_CLOEXEC) != 0);
  runner.scope().cancel();
  runner.run();
}

TEST_CASE("the last descriptors are left for logs and reload: newcomers are closed at once, with a word") {
  LoopRunner runner;
  const Port port;
  Taker taker;
  Listener listener(port.fd.get(), taker);
  runner.spawn(listener.run());
  std::vector<Fd> clients;
  for (int i = 0; i < FewDescriptors::kFree; ++i) clients.push_back(port.connect());
  FewDescriptors few;
  CHECK(turn_until(runner, [&] { return taker.taken.size() + taker.errors.size() == clients.size(); }));
  CHECK(taker.taken.size() == FewDescriptors::kFree - Listener::kReserved);
  CHECK(taker.errors == std::vector<int>(static_cast<std::size_t>(Listener::kReserved), EMFILE));
  char byte;
  CHECK(recv(clients.back().get(), &byte, 1, 0) == 0);  // told, not left waiting
  runner.scope().cancel();
  runner.run();
}

TEST_CASE("an idle connection gives way to a newcomer") {
  LoopRunner runner;
  const Port port;
  Taker taker;
  taker.closable = 3;
  Listener listener(port.fd.get(), taker);
  runner.spawn(listener.run());
  std::vector<Fd> clients;
  for (int i = 0; i < FewDescriptors::kFree + 10; ++i) clients.push_back(port.connect());
  FewDescriptors few;
  REQUIRE(turn_until(runner, [&] { return !taker.errors.empty(); }));
  CHECK(taker.closable == 0);  // first room is made, then newcomers are refused
  CHECK(taker.errors.front() == EMFILE);
  runner.scope().cancel();
  runner.run();
}

TEST_CASE("newcomers that took the place of idle ones leave the reserve alone") {
  LoopRunner runner;
  const Port port;
  Taker taker;
  taker.closable = 30;
  Listener listener(port.fd.get(), taker);
  runner.spawn(listener.run());
  std::vector<Fd> clients;
  for (int i = 0; i < FewDescriptors::kFree - Listener::kReserved + 30; ++i) clients.push_back(port.connect());
  FewDescriptors few;
  REQUIRE(turn_until(runner, [&] { return taker.closable == 0; }));
  REQUIRE(turn_until(runner, [&] { return taker.taken.size() == FewDescriptors::kFree - Listener::kReserved; }));
  for (const Fd& fd : taker.taken) CHECK(fd.get() < 100 + FewDescriptors::kFree - Listener::kReserved);
  CHECK(taker.errors.empty());
  runner.scope().cancel();
  runner.run();
}

TEST_CASE("with no descriptor left at all the loop does not spin, and accepts again when one is free") {
  LoopRunner runner;
  const Port port;
  Taker taker;
  Listener listener(port.fd.get(), taker);
  runner.spawn(listener.run());
  const Fd client = port.connect();
  FewDescriptors few;
  few.use_up();
  const std::int64_t until = runner.loop.now() + 250'000'000;
  int turns = 0;
  for (; runner.loop.now() < until; ++turns) runner.loop.turn(until);
  CHECK(turns < 30);
  CHECK(taker.taken.empty());
  REQUIRE_FALSE(taker.errors.empty());
  CHECK(taker.errors.size() <= 4);  // at most one try in 100 ms
  CHECK(taker.errors[0] == EMFILE);
  few.give_back(20);
  CHECK(turn_until(runner, [&] { return taker.taken.size() == 1; }));
  runner.scope().cancel();
  runner.run();
}

TEST_CASE("a cancel while a listener recovers ends it at once") {
  LoopRunner runner;
  const Port port;
  Taker taker;
  Listener listener(port.fd.get(), taker);
  runner.spawn(listener.run());
  const Fd client = port.connect();
  FewDescriptors few;
  few.use_up();
  REQUIRE(turn_until(runner, [&] { return !taker.errors.empty(); }));
  runner.scope().cancel();
  runner.loop.turn(runner.loop.now());
  CHECK(runner.scope().empty());
}

TEST_CASE("a client that left before it was accepted disturbs nobody") {
  LoopRunner runner;
  const Port port;
  Taker taker;
  Listener listener(port.fd.get(), taker);
  runner.spawn(listener.run());
  {
    const Fd gone = port.connect();
    const linger hard{1, 0};
    setsockopt(gone.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  }
  const Fd stays = port.connect();
  CHECK(turn_until(runner, [&] {
    for (const Fd& fd : taker.taken)
      if (Address::peer_of(fd.get())) return true;
    return false;
  }));
  CHECK(taker.errors.empty());
  runner.scope().cancel();
  runner.run();
}
