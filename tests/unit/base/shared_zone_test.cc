#include "seawall/base/shared_zone.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "catch.h"
#include "seawall/base/zone_index.h"

using namespace seawall;

namespace {

std::shared_ptr<SharedZone> zone_of(std::size_t bytes, const char* name = "test") {
  return SharedZone::open(name, bytes, "unit 1");
}

// Runs work in another process, which is killed as it ends: no destructor, no exit.
template <class Work>
void in_killed_process(Work&& work) {
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    work();
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  REQUIRE(WIFSIGNALED(status));
}

}  // namespace

TEST_CASE("a zone is the same for the same name, size and use, as long as somebody has it") {
  auto zone = zone_of(65536);
  CHECK(zone_of(65536) == zone);
  CHECK(zone_of(65536 * 2) != zone);
  CHECK(zone_of(65536, "other") != zone);
  CHECK(SharedZone::open("test", 65536, "unit 2") != zone);
  {
    const SharedZone::Lock lock(*zone);
    zone->set_root(zone->allocate(100));
  }
  auto again = zone_of(65536);
  zone.reset();
  CHECK(again->root() != 0);
  again.reset();
  CHECK(zone_of(65536)->root() == 0);
}

TEST_CASE("chunks and runs do not overlap and all of the zone comes back") {
  const auto zone = zone_of(1 << 20);
  const SharedZone::Lock lock(*zone);
  const std::size_t pages = zone->free_pages();
  CHECK(pages > 245);
  std::mt19937 random(7);
  struct Piece {
    ZoneRef ref;
    std::size_t size;
    char mark;
  };
  std::vector<Piece> pieces;
  const auto check_and_free = [&](std::size_t i) {
    const char* const memory = zone->at<char>(pieces[i].ref);
    REQUIRE(std::all_of(memory, memory + pieces[i].size, [&](char c) { return c == pieces[i].mark; }));
    zone->free(pieces[i].ref);
    pieces[i] = pieces.back();
    pieces.pop_back();
  };
  int refused = 0;
  for (int step = 0; step < 50'000; ++step) {
    const bool grow = random() % 100 < (step / 10'000 % 2 ? 40u : 60u);
    if (!grow && !pieces.empty()) {
      check_and_free(random() % pieces.size());
      continue;
    }
    const std::size_t size = random() % 50 ? random() % 300 + 1 : random() % 20'000 + 1;
    const ZoneRef ref = zone->allocate(size);
    if (!ref) {
      ++refused;
      continue;
    }
    REQUIRE(ref % 2 == 0);
    pieces.push_back({ref, size, static_cast<char>(random())});
    std::memset(zone->at<char>(ref), pieces.back().mark, size);
  }
  CHECK(refused > 0);
  while (!pieces.empty()) check_and_free(pieces.size() - 1);
  CHECK(zone->free_pages() == pages);
  CHECK(zone->allocate((pages + 1) * 4096) == 0);
  CHECK(zone->allocate(SIZE_MAX) == 0);
  const ZoneRef all = zone->allocate(pages * 4096);
  CHECK(all != 0);
  CHECK(zone->allocate(1) == 0);
  zone->free(all);
}

TEST_CASE("a process that is killed between its changes leaves what it has written") {
  const auto zone = zone_of(65536);
  in_killed_process([&] {
    const SharedZone::Lock lock(*zone);
    const ZoneRef ref = zone->allocate(8);
    *zone->at<int>(ref) = 42;
    zone->set_root(ref);
  });
  const SharedZone::Lock lock(*zone);
  CHECK_FALSE(lock.emptied());
  CHECK(*zone->at<int>(zone->root()) == 42);
}

TEST_CASE("a process that is killed while it holds the lock empties the zone, whose note stays") {
  const auto zone = zone_of(65536);
  std::size_t pages = 0;
  std::uint64_t epoch = 0;
  {
    const SharedZone::Lock lock(*zone);
    pages = zone->free_pages();
    epoch = zone->epoch();
    zone->set_root(zone->allocate(5000));
  }
  CHECK(zone->note_as("$remote_addr"));
  CHECK(zone->note_as("$remote_addr"));
  CHECK_FALSE(zone->note_as("$uri"));
  in_killed_process([&] {
    const SharedZone::Lock lock(*zone);
    zone->allocate(100);
    ::kill(::getpid(), SIGKILL);
  });
  {
    const SharedZone::Lock lock(*zone);
    CHECK(lock.emptied());
    CHECK(zone->root() == 0);
    CHECK(zone->free_pages() == pages);
    CHECK(zone->epoch() == epoch + 1);
    CHECK(zone->note() == "$remote_addr");
  }
  const SharedZone::Lock lock(*zone);
  CHECK_FALSE(lock.emptied());
}

TEST_CASE("another process that is handed the memory finds the zone by its name") {
  auto zone = zone_of(65536, "handed");
  {
    const SharedZone::Lock lock(*zone);
    ZoneIndex<int> index(*zone);
    *index.add("key") = 42;
  }
  CHECK(zone->note_as(std::string(2000, 'n')));
  CHECK(SharedZone::all().size() >= 1);
  Fd memory(::dup(zone->fd()));
  zone.reset();
  const auto adopted = SharedZone::adopt(std::move(memory));
  REQUIRE(adopted);
  const auto found = zone_of(65536, "handed");
  CHECK(found == adopted);
  CHECK(found->note() == std::string(1000, 'n'));
  const SharedZone::Lock lock(*found);
  CHECK(*ZoneIndex<int>(*found).find("key") == 42);
}

TEST_CASE("memory that is no zone is not adopted") {
  CHECK_FALSE(SharedZone::adopt(Fd()));
  Fd empty(::memfd_create("empty", MFD_CLOEXEC)), zeros(::memfd_create("zeros", MFD_CLOEXEC));
  REQUIRE(::ftruncate(zeros.get(), 65536) == 0);
  CHECK_FALSE(SharedZone::adopt(std::move(empty)));
  CHECK_FALSE(SharedZone::adopt(std::move(zeros)));
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const Fd read(ends[0]);
  CHECK_FALSE(SharedZone::adopt(Fd(ends[1])));
}

TEST_CASE("an index finds, forgets what is oldest and takes any key") {
  const auto zone = zone_of(65536);
  const SharedZone::Lock lock(*zone);
  const std::size_t pages = zone->free_pages();
  ZoneIndex<std::uint64_t> index(*zone);
  CHECK(index.find("a") == nullptr);
  CHECK(index.oldest() == nullptr);
  for (const char* key : {"a", "b", "c"}) *index.add(key) = static_cast<unsigned char>(*key);
  CHECK(*index.find("a") == 'a');
  CHECK(index.key_of(index.oldest()) == "b");
  CHECK(index.drop_oldest());
  CHECK(index.find("b") == nullptr);
  CHECK(index.size() == 2);
  const std::string large(20'000, 'x'), with_zero("a\0b", 3);
  REQUIRE(index.add(large));
  REQUIRE(index.add(with_zero));
  CHECK(index.find(large) != nullptr);
  CHECK(index.find(with_zero) != index.find("a"));
  while (index.drop_oldest()) {}
  CHECK(index.size() == 0);
  CHECK(zone->free_pages() + 3 >= pages);
}

TEST_CASE("an index that is full holds the newest") {
  const auto zone = zone_of(SharedZone::kSmallest);
  const SharedZone::Lock lock(*zone);
  ZoneIndex<std::uint64_t> index(*zone);
  constexpr std::uint64_t kAll = 100'000;
  for (std::uint64_t i = 0; i < kAll; ++i) {
    const std::string key = std::to_string(i);
    std::uint64_t* value;
    while (!(value = index.add(key))) REQUIRE(index.drop_oldest());
    *value = i;
  }
  REQUIRE(index.size() > 300);
  for (std::uint64_t i = kAll - index.size(); i < kAll; ++i) {
    const std::uint64_t* const value = index.find(std::to_string(i));
    REQUIRE(value);
    REQUIRE(*value == i);
  }
}

TEST_CASE("processes and threads count in one zone") {
  const auto zone = zone_of(1 << 20);
  constexpr int kRounds = 5000;
  const auto count = [&] {
    for (int i = 0; i < kRounds; ++i) {
      const SharedZone::Lock lock(*zone);
      ZoneIndex<std::uint64_t> index(*zone);
      const std::string key = "key " + std::to_string(i % 10);
      auto* value = index.find(key);
      if (!value) value = index.add(key);
      ++*value;
    }
  };
  const pid_t pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    count();
    ::_exit(0);
  }
  std::thread other(count);
  count();
  other.join();
  int status = -1;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  CHECK(status == 0);
  const SharedZone::Lock lock(*zone);
  ZoneIndex<std::uint64_t> index(*zone);
  std::uint64_t sum = 0;
  for (int i = 0; i < 10; ++i) sum += *index.find("key " + std::to_string(i));
  CHECK(sum == 3 * kRounds);
}
