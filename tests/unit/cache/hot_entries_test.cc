#include "seawall/cache/hot_entries.h"

#include <sys/stat.h>

#include <filesystem>
#include <thread>

#include "catch.h"

using namespace seawall;

namespace {

class Folder {
 public:
  Folder() {
    char name[] = "/tmp/sw-XXXXXX";
    REQUIRE(::mkdtemp(name));
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string file(int number) const { return path_ + "/" + std::to_string(number); }
  void write(int number, std::size_t fields, std::size_t body) const {
    CacheEntryWriter writer;
    CacheEntryHead head;
    head.status = 200;
    REQUIRE(writer.begin(path_, head, "key", "", std::string(fields, 'f')));
    if (body > 0) REQUIRE(writer.append(std::string(body, 'b')));
    REQUIRE(writer.commit(file(number)));
  }
  // Until the last change of a file is so long ago that no other can bear the same time.
  void wait_until_old(int number) const {
    struct stat s;
    REQUIRE(::stat(file(number).c_str(), &s) == 0);
    while (!FileStamp(s).is_old()) std::this_thread::yield();
  }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("entries of caches in memory hold no more of it than they may, whatever is long in them") {
  const Folder folder;
  constexpr int kMany = 400;
  for (int i = 0; i < kMany; ++i) folder.write(i, 100 * 1024, 0);            // no body, and much else
  for (int i = kMany; i < 2 * kMany; ++i) folder.write(i, 100, CacheEntry::kSmall);
  folder.write(2 * kMany, 900 * 1024, 0);
  folder.wait_until_old(2 * kMany);
  HotEntries entries;
  const auto open = [&](int from, int to) {
    for (int i = from; i < to; ++i) {
      const Result<CacheEntry> entry = entries.open(folder.file(i), "key");
      REQUIRE(entry);
      REQUIRE(entry->key() == "key");
    }
  };
  open(0, kMany);
  CHECK(entries.bytes() <= HotEntries::kMostBytes);
  CHECK(entries.bytes() > HotEntries::kMostBytes / 2);
  open(kMany, 2 * kMany);
  CHECK(entries.bytes() <= HotEntries::kMostBytes);
  const std::size_t before = entries.bytes();
  open(2 * kMany, 2 * kMany + 1);  // so long that it is not kept
  CHECK(entries.bytes() == before);
}

TEST_CASE("a small entry in memory holds about what its file does") {
  const Folder folder;
  folder.write(1, 100, 1000);
  folder.wait_until_old(1);
  HotEntries entries;
  REQUIRE(entries.open(folder.file(1), "key"));
  CHECK(entries.bytes() > 0);
  CHECK(entries.bytes() < 6 * 1024);
}
