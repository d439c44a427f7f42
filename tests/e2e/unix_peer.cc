#include "e2e/unix_peer.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catch.h"
#include "e2e/folder.h"
#include "seawall/base/fd.h"

namespace test {
namespace {

std::string find_program(const std::string& name) {
  for (const char* folder : {"/usr/bin/", "/usr/sbin/", "/usr/local/bin/"})
    if (::access((folder + name).c_str(), X_OK) == 0) return folder + name;
  return "";
}

bool answers(const std::string& path) {
  const seawall::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

}  // namespace

std::unique_ptr<UnixPeer> UnixPeer::start(const std::string& program, const std::vector<std::string>& arguments) {
  const std::string name = find_program(program);
  if (name.empty()) {
    WARN("no " << program << ": skipped");
    return nullptr;
  }
  return std::unique_ptr<UnixPeer>(new UnixPeer(name, arguments));
}

UnixPeer::UnixPeer(const std::string& program, const std::vector<std::string>& arguments) : folder_(make_folder()) {
  std::vector<std::string> words{program};
  for (std::string word : arguments) {
    if (const auto at = word.find("%SOCKET%"); at != std::string::npos) word.replace(at, 8, path());
    words.push_back(word);
  }
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const std::string log = folder_ + "/out.log";
  pid_ = ::fork();
  if (pid_ == 0) {
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ::dup2(out, 1);
    ::dup2(out, 2);
    ::execv(program.c_str(), argv.data());
    ::_exit(127);
  }
  const auto deadline = Clock::now() + kPatience;
  REQUIRE(wait_for_change(folder_, [&] { return ::access(path().c_str(), F_OK) == 0; }, deadline));
  // Bound, and about to listen.
  while (!answers(path())) {
    REQUIRE(Clock::now() < deadline);
    ::sched_yield();
  }
}

UnixPeer::~UnixPeer() {
  ::kill(pid_, SIGTERM);
  ::waitpid(pid_, nullptr, 0);
}

std::unique_ptr<UnixPeer> start_redis() {
  return UnixPeer::start("redis-server", {"--port", "0", "--unixsocket", "%SOCKET%", "--save", "", "--appendonly", "no"});
}

std::unique_ptr<UnixPeer> start_memcached() {
  return UnixPeer::start("memcached", {"-s", "%SOCKET%", "-u", ::geteuid() == 0 ? "root" : "nobody", "-t", "1", "-U", "0"});
}

}  // namespace test
