#include "seawall/base/keyed_hash.h"

#include <set>
#include <string>

#include "catch.h"

using namespace seawall;

TEST_CASE("the hash depends on every byte, the length and the key") {
  HashKey key;
  key.words = {1, 2};
  std::set<std::uint64_t> seen;
  std::string text;
  for (int i = 0; i < 40; ++i) {
    CHECK(seen.insert(keyed_hash(key, text)).second);
    for (std::size_t at = 0; at < text.size(); ++at) {
      std::string changed = text;
      changed[at] = 'x';
      CHECK(seen.insert(keyed_hash(key, changed)).second);
    }
    text += '\0';
  }
  CHECK(keyed_hash(key, "a") == keyed_hash(key, "a"));
  CHECK(keyed_hash(HashKey::random(), "a") != keyed_hash(HashKey::random(), "a"));
}
