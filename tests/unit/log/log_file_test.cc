// Log files: whole lines from many threads, into files and pipes; reopened.
#include "seawall/log/log_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>
#include <vector>

#include "catch.h"
#include "seawall/base/error.h"

using namespace seawall;

namespace {

constexpr int kThreads = 8, kLines = 10'000;

// A folder of the test, gone with it.
class Folder {
 public:
  Folder() { REQUIRE(::mkdtemp(path_.data()) != nullptr); }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_ = "/tmp/sw-log-XXXXXX";
};

std::string read(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// "THREAD NUMBER xxx...", 200 to 3000 bytes of one letter.
std::string line_of(int thread, int number) {
  const auto length = static_cast<std::size_t>(200 + (thread * 7919 + number * 104729) % 2800);
  return std::to_string(thread) + " " + std::to_string(number) + " " + std::string(length, static_cast<char>('a' + thread)) + "\n";
}

void write_from_all_threads(LogFile& file) {
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&file, t] {
      for (int i = 0; i < kLines; ++i) file.write(line_of(t, i));
    });
  for (std::thread& thread : threads) thread.join();
}

// How many lines are whole and in their thread's order.
int whole_lines(std::istream& in) {
  std::map<int, int> next;
  int whole = 0;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    int thread = -1, number = -1;
    words >> thread >> number;
    if (line + "\n" == line_of(thread, number) && next[thread]++ == number) ++whole;
  }
  return whole;
}

}  // namespace

TEST_CASE("lines of many threads into one file never mix (B38)") {
  Folder folder;
  const auto file = LogFile::open(folder / "a.log");
  write_from_all_threads(*file);
  std::ifstream in(folder / "a.log");
  CHECK(whole_lines(in) == kThreads * kLines);
}

TEST_CASE("lines of many threads into one pipe never mix (B38)") {
  Folder folder;
  const std::string path = folder / "pipe";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  int whole = 0;
  std::thread reader([&] {
    std::ifstream in(path);
    whole = whole_lines(in);
  });
  {
    const auto file = LogFile::open(path);
    write_from_all_threads(*file);
  }
  reader.join();
  CHECK(whole == kThreads * kLines);
}

TEST_CASE("one path is one file") {
  Folder folder;
  CHECK(LogFile::open(folder / "a.log") == LogFile::open(folder / "a.log"));
  CHECK(LogFile::open(folder / "a.log") != LogFile::open(folder / "b.log"));
  CHECK_THROWS_WITH(LogFile::open(folder / "none/a.log"), "open() \"" + folder / "none/a.log" + "\" failed (2: No such file or directory)");
}

TEST_CASE("reopened, a log writes into a new file, and what was held back is in the old one") {
  Folder folder;
  const auto file = LogFile::open(folder / "a.log");
  HeldLines held([&] { file->write("held\n"); });
  file->write("old\n");
  std::filesystem::rename(folder / "a.log", folder / "a.log.1");
  reopen_logs();
  file->write("new\n");
  CHECK(read(folder / "a.log.1") == "old\nheld\n");
  CHECK(read(folder / "a.log") == "new\n");
}

TEST_CASE("reopened, a new file belongs to whom the worker runs as") {
  if (::geteuid() != 0) return;
  Folder folder;
  const auto file = LogFile::open(folder / "a.log");
  std::filesystem::remove(folder / "a.log");
  const mode_t before = ::umask(0777);
  reopen_logs(65534);
  ::umask(before);
  struct stat info;
  REQUIRE(::stat((folder / "a.log").c_str(), &info) == 0);
  CHECK(info.st_uid == 65534);
  CHECK((info.st_mode & 0777) == 0600);
}

TEST_CASE("a reader that is gone, and a full disk, are errors and not the end") {
  Folder folder;
  const std::string path = folder / "pipe";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  ::signal(SIGPIPE, SIG_IGN);
  Fd reader(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  const auto file = LogFile::open(path);
  CHECK(file->append("x\n").has_value());
  reader.reset();
  CHECK(file->append("x\n").error() == std::errc::broken_pipe);
  if (std::filesystem::exists("/dev/full"))
    CHECK(LogFile::open("/dev/full")->append("x\n").error() == std::errc::no_space_on_device);
}
