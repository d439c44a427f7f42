// Files of the store: whole or not at all.
#include "store.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "catch.h"

using namespace seawall::acme;

namespace {

class Folder {
 public:
  Folder() {
    char name[] = "/tmp/acme-XXXXXX";
    path = std::string(::mkdtemp(name)) + "/a/b";
  }
  ~Folder() { std::filesystem::remove_all(std::filesystem::path(path).parent_path().parent_path()); }
  std::string path;
};

}  // namespace

TEST_CASE("what is written is read, and nobody else may read it") {
  const Folder folder;
  FileStore store(folder.path);
  CHECK(!store.read("a"));
  CHECK(store.names().empty());
  store.write("a", "one");
  const std::string before = store.version("a");
  store.write("a", "two");
  CHECK(store.read("a") == "two");
  CHECK(store.version("a") != before);
  struct stat status;
  REQUIRE(::stat((folder.path + "/a").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0600);
  REQUIRE(::stat(folder.path.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0700);
  store.remove("a");
  store.remove("a");
  CHECK(!store.read("a"));
}

TEST_CASE("a link is not followed") {
  const Folder folder;
  FileStore store(folder.path);
  store.write("a", "one");
  std::filesystem::create_symlink("a", folder.path + "/b");
  CHECK_THROWS_AS(store.read("b"), AcmeError);
}

TEST_CASE("a disk that is full leaves what was there, and nothing half") {
  const Folder folder;
  FileStore store(folder.path);
  store.write("a", "small");
  const pid_t child = ::fork();  // limits and signals are a process's
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    bool failed = false;
    try {
      store.write("a", std::string(100'000, 'x'));
    } catch (const AcmeError&) {
      failed = true;
    }
    ::_exit(failed ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
  CHECK(store.read("a") == "small");
  CHECK(store.names() == std::vector<std::string>{"a"});
}

TEST_CASE("one at a time has the lock, also of another process, and it goes with its holder") {
  const Folder folder;
  FileStore store(folder.path), other(folder.path);
  auto held = store.try_lock();
  REQUIRE(held);
  CHECK(!other.try_lock());
  held.reset();
  CHECK(other.try_lock());
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto mine = store.try_lock();
    const char byte = mine ? 'y' : 'n';
    if (::write(ready[1], &byte, 1) != 1) ::_exit(1);
    ::pause();
  }
  char byte = 0;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  CHECK(byte == 'y');
  CHECK(!other.try_lock());
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK(other.try_lock());
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE("who has the lock clears away what a process that died had begun") {
  const Folder folder;
  FileStore store(folder.path);
  store.write("a", "one");
  const pid_t dead = ::fork();
  if (dead == 0) ::_exit(0);
  ::waitpid(dead, nullptr, 0);
  const std::string of_dead = folder.path + "/a." + std::to_string(dead) + ".1.new", ours = folder.path + "/a." + std::to_string(::getpid()) + ".1.new",
                    of_living = folder.path + "/a." + std::to_string(::getppid()) + ".1.new";
  for (const std::string& file : {of_dead, ours, of_living}) std::filesystem::copy_file(folder.path + "/a", file);
  auto held = store.try_lock();
  REQUIRE(held);
  CHECK(!std::filesystem::exists(of_dead));
  CHECK(!std::filesystem::exists(ours));
  CHECK(std::filesystem::exists(of_living));  // a command that is writing
  CHECK(store.read("a") == "one");
  held.reset();
  std::filesystem::last_write_time(of_living, std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  REQUIRE(store.try_lock());
  CHECK(!std::filesystem::exists(of_living));
}

TEST_CASE("in one process the lock is one, whoever asks for it") {
  const Folder folder;
  FileStore store(folder.path), other(folder.path);
  auto first = store.try_lock(), second = store.try_lock();
  CHECK(first == second);
  first.reset();
  CHECK(!other.try_lock());
  second.reset();
  CHECK(other.try_lock());
}

TEST_CASE("what root writes belongs to the folder's owner, the lock as well") {
  if (::geteuid() != 0) {
    WARN("needs root: skipped");
    return;
  }
  const Folder folder;
  std::filesystem::create_directories(folder.path);
  REQUIRE(::chown(folder.path.c_str(), 12345, 12346) == 0);
  FileStore store(folder.path);
  store.write("a", "one");
  REQUIRE(store.try_lock());
  for (const char* name : {"/a", "/lock"}) {
    INFO(name);
    struct stat status;
    REQUIRE(::stat((folder.path + name).c_str(), &status) == 0);
    CHECK(status.st_uid == 12345);
    CHECK(status.st_gid == 12346);
  }
}

TEST_CASE("root gives away no file that was there, and reads none that is another's, nor a pipe") {
  const Folder folder;
  std::filesystem::create_directories(folder.path);
  const std::string secret = folder.path + "/../secret";
  std::ofstream(secret) << "secret";
  std::filesystem::create_hard_link(secret, folder.path + "/lock");
  std::filesystem::create_hard_link(secret, folder.path + "/a");
  REQUIRE(::mkfifo((folder.path + "/pipe").c_str(), 0600) == 0);
  if (::geteuid() == 0) REQUIRE(::chown(folder.path.c_str(), 12345, 12346) == 0);
  FileStore store(folder.path);
  CHECK(store.try_lock());
  CHECK_THROWS_AS(store.read("a"), AcmeError);
  CHECK_THROWS_AS(store.read("pipe"), AcmeError);
  struct stat status;
  REQUIRE(::stat(secret.c_str(), &status) == 0);
  CHECK(status.st_uid == ::geteuid());
}
