#include "seawall/tls/session_cache.h"

#include <sys/wait.h>

#include "catch.h"

using namespace seawall;

namespace {

std::string id(int n) {
  std::string text = std::to_string(n * 7919 + 1'000'000);
  text.resize(SessionCache::kLongestId, 'x');
  return text;
}

std::shared_ptr<SharedZone> make_zone(std::size_t bytes) { return SharedZone::open("test", bytes, "test"); }

}  // namespace

TEST_CASE("a session is found until it expires or is removed") {
  SessionCache cache(make_zone(64 * 1024));
  cache.put(id(1), "one", 100, 10);
  cache.put(id(2), "two", 100, 10);
  CHECK(cache.get(id(1), 99) == "one");
  CHECK(cache.get(id(1), 100) == "");
  CHECK(cache.get(id(3), 10) == "");
  cache.remove(id(1));
  CHECK(cache.get(id(1), 10) == "");
  CHECK(cache.get(id(2), 10) == "two");
  cache.put(id(2), "again", 100, 10);
  CHECK(cache.get(id(2), 10) == "again");
}

TEST_CASE("the oldest give way, whatever their sizes, and what is left is whole") {
  SessionCache cache(make_zone(40 * 1024));
  int kept = 0;
  for (int i = 0; i < 5000; ++i) {
    const std::string session(static_cast<std::size_t>(i * 37 % 4000), static_cast<char>('a' + i % 26));
    cache.put(id(i), session, 100, 10);
    if (session.empty()) continue;
    REQUIRE(cache.get(id(i), 10) == session);
    if (i % 3 == 0) cache.remove(id(i - 1));
  }
  for (int i = 0; i < 5000; ++i) kept += !cache.get(id(i), 10).empty();
  CHECK(kept > 3);
  CHECK(kept < 100);
  CHECK(!cache.get(id(4999), 10).empty());
}

TEST_CASE("what is too long or has no id is not kept") {
  SessionCache cache(make_zone(64 * 1024));
  cache.put(id(1), std::string(SessionCache::kLongestSession + 1, 'x'), 100, 10);
  cache.put("", "session", 100, 10);
  cache.put(std::string(33, 'i'), "session", 100, 10);
  cache.put(id(2), "session", 10, 10);
  CHECK(cache.get(id(1), 10) == "");
  CHECK(cache.get("", 10) == "");
  CHECK(cache.get(std::string(33, 'i'), 10) == "");
  CHECK(cache.get(id(2), 5) == "");
}

TEST_CASE("a name is one cache for as long as somebody has it, and processes see the same") {
  auto cache = SessionCache::shared("SSL", 64 * 1024);
  const auto has_it = [](SessionCache& other) { return other.get(id(2), 10) == "ours"; };
  cache->put(id(2), "ours", 100, 10);
  CHECK(has_it(*SessionCache::shared("SSL", 64 * 1024)));
  CHECK_FALSE(has_it(*SessionCache::shared("SSL", 128 * 1024)));
  CHECK_FALSE(has_it(*SessionCache::shared("other", 64 * 1024)));
  CHECK_FALSE(has_it(*SessionCache::own(64 * 1024)));
  const pid_t child = ::fork();
  if (child == 0) {
    cache->put(id(1), "of the child", 100, 10);
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  CHECK(cache->get(id(1), 10) == "of the child");
}

TEST_CASE("what a process that died had half changed is gone, and the cache goes on") {
  const auto zone = make_zone(64 * 1024);
  SessionCache cache(zone);
  cache.put(id(1), "one", 100, 10);
  const pid_t child = ::fork();
  if (child == 0) {
    const SharedZone::Lock held(*zone);
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  CHECK(cache.get(id(1), 10) == "");
  cache.put(id(2), "two", 100, 10);
  CHECK(cache.get(id(2), 10) == "two");
}
