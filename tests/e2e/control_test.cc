// The supervisor's control socket, over which -s reload waits: who may speak there, and what a caller cannot do.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <deque>

#include "catch.h"
#include "e2e/curl.h"
#include "e2e/server.h"
#include "e2e/timing.h"

using namespace test;
using Catch::Matchers::ContainsSubstring;

namespace {

const char* const kAnswer = "server { listen 127.0.0.1:%%PORT_0%%; location / { return 200 here; } }";

std::string socket_of(const Server& s) { return s.folder() + "/nginx.pid.sock"; }

// It comes after the pid file.
bool is_there(const Server& s) {
  struct stat file{};
  return ::stat(socket_of(s).c_str(), &file) == 0;
}

seawall::Fd call(const Server& s) {
  REQUIRE(wait_until([&] { return is_there(s); }));
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  socket_of(s).copy(name.sun_path, sizeof name.sun_path - 1);
  seawall::Fd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  REQUIRE(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&name), sizeof name) == 0);
  return fd;
}

std::string answer(const seawall::Fd& caller) {
  timeval patience{30, 0};
  ::setsockopt(caller.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  char text[4096];
  const ssize_t n = ::recv(caller.get(), text, sizeof text, 0);
  return std::string(text, n > 0 ? static_cast<std::size_t>(n) : 0);
}

void say(const seawall::Fd& caller, const std::string& words) {
  REQUIRE(::send(caller.get(), words.data(), words.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(words.size()));
}

}  // namespace

TEST_CASE("the control socket is its owner's alone, and goes with the server") {
  Server s(kAnswer);
  REQUIRE(wait_until([&] { return is_there(s); }));
  struct stat file{};
  REQUIRE(::stat(socket_of(s).c_str(), &file) == 0);
  CHECK(S_ISSOCK(file.st_mode));
  CHECK((file.st_mode & 0777) == 0600);
  s.stop();
  CHECK_FALSE(is_there(s));
}

TEST_CASE("callers of the control socket who say nothing, nonsense, or leave hold nobody up") {
  Server s(kAnswer);
  const seawall::Fd silent = call(s);
  call(s).reset();
  const seawall::Fd confused = call(s);
  say(confused, "=dance");
  CHECK_THAT(answer(confused), ContainsSubstring("the supervisor knows no \"dance\""));
  const seawall::Fd asks = call(s);
  say(asks, "=reload");
  CHECK(answer(asks) == "=");
  CHECK(s.wait_for_log("gracefully shutting down"));
  CHECK(get(s.url()).body == "here");
}

TEST_CASE("several callers at the same time have a reload each") {
  Server s(kAnswer);
  std::deque<seawall::Fd> callers;
  for (int i = 0; i < 3; ++i) {
    callers.push_back(call(s));
    say(callers.back(), "=reload");
  }
  for (const seawall::Fd& caller : callers) CHECK(answer(caller) == "=");
  CHECK(get(s.url()).body == "here");
}
