#include "seawall/base/shared_table.h"

#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <string>
#include <thread>
#include <vector>

#include "catch.h"

using seawall::SharedCount;
using seawall::SharedTable;

namespace {

std::map<std::string, std::uint64_t> all(const SharedTable& table) {
  std::map<std::string, std::uint64_t> found;
  table.for_each([&](std::string_view key, const SharedCount* counts) { found.emplace(key, counts[0].get()); });
  return found;
}

}  // namespace

TEST_CASE("shared_table: what children count is seen by all") {
  SharedTable table(10, 2);
  table.at("a")[0].add();
  const pid_t child = ::fork();
  if (child == 0) {
    table.at("a")[0].add(2);
    table.at("b")[0].add(5);
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(all(table) == std::map<std::string, std::uint64_t>{{"", 0}, {"a", 3}, {"b", 5}});
  CHECK(table.at("a")[1].get() == 0);
}

TEST_CASE("shared_table: keys beyond its room are counted together, and long ones are cut") {
  SharedTable table(3, 1);
  for (const char* key : {"a", "b", "c", "d", "e"}) table.at(key)->add();
  CHECK(all(table) == std::map<std::string, std::uint64_t>{{"", 2}, {"a", 1}, {"b", 1}, {"c", 1}});
  SharedTable other(3, 1);
  other.at(std::string(1000, 'x'))->add();
  CHECK(all(other).contains(std::string(SharedTable::kLongestKey, 'x')));
}

TEST_CASE("shared_table: threads that meet at a new key count in one place") {
  SharedTable table(1000, 1);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) table.at(std::to_string(i))->add();
    });
  for (std::thread& thread : threads) thread.join();
  const auto found = all(table);
  CHECK(found.size() == 501);
  for (const auto& [key, count] : found) CHECK(count == (key.empty() ? 0 : 4));
}
