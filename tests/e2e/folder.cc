// See folder.h.
#define CATCH_CONFIG_EXTERNAL_INTERFACES
#include "e2e/folder.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <vector>

#include "catch.h"

namespace test {
namespace {

using seawall::Fd;

#if __has_include(<catch2/catch_test_macros.hpp>)
using Listener = Catch::EventListenerBase;
#else
using Listener = Catch::TestEventListenerBase;
#endif

std::vector<std::string>& folders() {
  static std::vector<std::string> all;
  return all;
}

// The worker of a server that was killed may still remove files of its own, and write some, amid this.
void remove_folder(const std::string& folder) {
  const auto until = Clock::now() + kPatience;
  std::error_code error;
  do std::filesystem::remove_all(folder, error);
  while ((error == std::errc::no_such_file_or_directory || error == std::errc::directory_not_empty) && Clock::now() < until);
  if (error) throw std::filesystem::filesystem_error("the test's folder stays", folder, error);
}

// The folders outlive their Server, so that what the test learned after it stopped counts as well.
class FolderListener : public Listener {
 public:
  using Listener::Listener;
  void testCaseEnded(const Catch::TestCaseStats& stats) override {
    for (const auto& folder : folders()) {
      if (stats.totals.assertions.failed == 0) {
        remove_folder(folder);
      } else {
        std::fprintf(stderr, "kept for a look: %s\n", folder.c_str());
      }
    }
    folders().clear();
    Listener::testCaseEnded(stats);
  }
};
CATCH_REGISTER_LISTENER(FolderListener)

}  // namespace

int left_until(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return left > 0 ? int(left) : 0;
}

std::string make_folder() {
  std::string name = "/tmp/sw-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  folders().push_back(name);
  std::filesystem::create_directory(name + "/logs");
  return name;
}

void write_file(const std::string& path, std::string_view content) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(content.data(), std::streamsize(content.size()));
  if (!out.flush()) throw std::runtime_error("cannot write " + path);
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream content;
  content << in.rdbuf();
  return content.str();
}

Fd listen_on(int port) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(std::uint16_t(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool bound = ::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  if (!bound || ::listen(fd.get(), 128) != 0) fd.reset();
  return fd;
}

namespace {

// Between the look at a port and the server's bind() another test may look, too: who has a socket of this name (of the abstract
// namespace: it goes with the process) has the port.
bool reserve(int port) {
  static std::vector<Fd> held;
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  const std::string text = "seawall-test-port-" + std::to_string(port);
  text.copy(name.sun_path + 1, sizeof name.sun_path - 1);
  Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
  if (!fd || ::bind(fd.get(), reinterpret_cast<sockaddr*>(&name), size) != 0) return false;
  held.push_back(std::move(fd));
  return true;
}

}  // namespace

// Tests run side by side as processes: each walks its own way through 10000..29999. A port taken from the ephemeral
// range could become the local end of somebody's connection before the server binds it.
int free_port() {
  static unsigned place = unsigned(::getpid()) * 37;
  for (int tries = 0; tries < 20000; ++tries) {
    const int port = 10000 + int(place++ % 20000);
    if (reserve(port) && listen_on(port)) return port;
  }
  throw std::runtime_error("no free port");
}

bool wait_for_change(const std::string& folder, const std::function<bool()>& check, Clock::time_point deadline,
                     int process) {
  Fd watch(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (::inotify_add_watch(watch.get(), folder.c_str(), IN_CREATE | IN_MODIFY | IN_MOVED_TO | IN_DELETE) < 0) {
    throw std::runtime_error("cannot watch " + folder);
  }
  while (!check()) {  // after the watch is set: a change between the two is not lost
    pollfd waits[] = {{watch.get(), POLLIN, 0}, {process, POLLIN, 0}};
    if (::poll(waits, 2, left_until(deadline)) <= 0 || waits[1].revents != 0) return check();
    char events[4096];
    while (::read(watch.get(), events, sizeof events) > 0) {
    }
  }
  return true;
}

}  // namespace test
