#include "seawall/server/file_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "catch.h"

using namespace seawall;
using namespace std::chrono_literals;

namespace {

// A file of that many bytes, opened and removed.
Ref<File> file_of(std::size_t size) {
  char path[] = "/tmp/sw-XXXXXX";
  Fd fd(::mkstemp(path));
  ::unlink(path);
  REQUIRE(::ftruncate(fd.get(), static_cast<off_t>(size)) == 0);
  struct stat s;
  REQUIRE(::fstat(fd.get(), &s) == 0);
  return Ref<File>(new File(FileStamp(s), std::move(fd)));
}

constexpr std::int64_t kSecond = 1'000'000'000;

}  // namespace

TEST_CASE("a full file cache forgets the longest unused path") {
  FileCache cache(2, 1 << 20, 60s);
  cache.add("a", 1);
  cache.add("b", 2);
  cache.use(*cache.find("a"), 3);
  cache.add("c", 4);
  CHECK(cache.size() == 2);
  CHECK(cache.find("a"));
  CHECK(!cache.find("b"));
  CHECK(cache.find("c"));
  CHECK(cache.find("a")->uses == 2);
}

TEST_CASE("a file cache keeps its contents within its memory") {
  FileCache cache(100, 150'000, 60s);
  for (const char* path : {"a", "b", "c"}) cache.hold(cache.add(path, 1), file_of(60'000));
  CHECK(!cache.find("a"));
  CHECK(cache.find("c")->file);
  CHECK(cache.memory_used() > 120'000);
  CHECK(cache.memory_used() <= 150'000);
  cache.hold(*cache.find("c"), Ref<File>());
  CHECK(cache.memory_used() < 70'000);
  cache.clear();
  CHECK(cache.memory_used() == 0);
}

TEST_CASE("a file larger than all the memory pushes the others out, and stays") {
  FileCache cache(100, 1000, 60s);
  cache.hold(cache.add("a", 1), file_of(10));
  cache.hold(cache.add("b", 1), file_of(60'000));
  CHECK(cache.size() == 1);
  CHECK(cache.find("b"));
}

TEST_CASE("files that stay open take none of a file cache's memory") {
  FileCache cache(100, 1000, 60s);
  const Ref<File> large = file_of(File::kSmall + 1);
  CHECK(large->memory() == 0);
  cache.hold(cache.add("a", 1), large);
  CHECK(cache.memory_used() == 0);
}

TEST_CASE("a file cache forgets two inactive paths at each use") {
  FileCache cache(100, 1000, 10s);
  for (const char* path : {"a", "b", "c", "d"}) cache.add(path, 0);
  cache.use(*cache.find("d"), 10 * kSecond);
  CHECK(cache.size() == 4);
  cache.use(*cache.find("d"), 11 * kSecond);
  CHECK(cache.size() == 2);
  CHECK(cache.find("c"));
}

TEST_CASE("a file cache forgets all inactive paths when asked to") {
  FileCache cache(100, 1000, 10s);
  for (const char* path : {"a", "b", "c"}) cache.add(path, 0);
  cache.add("d", 5 * kSecond);
  cache.forget_unused(10 * kSecond);
  CHECK(cache.size() == 4);
  cache.forget_unused(11 * kSecond);
  CHECK(cache.size() == 1);
  CHECK(cache.find("d"));
}

TEST_CASE("a file is held while somebody uses it, whatever its cache does") {
  FileCache cache(1, 1 << 20, 60s);
  cache.hold(cache.add("a", 1), file_of(10));
  const Ref<File> used = cache.find("a")->file;
  cache.add("b", 1);
  CHECK(used->size() == 10);
}

TEST_CASE("a file cache counts what it keeps open and forgets only that") {
  FileCache cache(100, 1 << 20, 60s);
  cache.hold(cache.add("small", 1), file_of(10));
  cache.hold(cache.add("large", 2), file_of(100'000));
  cache.hold(cache.add("other", 3), file_of(100'000));
  CHECK(cache.open_files() == 2);
  cache.hold(*cache.find("other"), Ref<File>());
  CHECK(cache.open_files() == 1);
  CHECK(cache.forget_open());
  CHECK(cache.open_files() == 0);
  CHECK(cache.find("small"));
  CHECK(!cache.find("large"));
  CHECK(cache.find("other"));
  CHECK(!cache.forget_open());
}
