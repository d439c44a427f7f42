// KeptBodies: files in the codings in which a loop has sent them lately, so that a page, a script or a style sheet is
// compressed once and not for each visitor. One loop.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "seawall/base/slice.h"
#include "seawall/server/file.h"

namespace seawall::compress {

class Coding;
class Conf;

class KeptBodies {
 public:
  // What the body was made of, and how. A file that has changed has another stamp.
  class Key {
   public:
    bool operator==(const Key&) const = default;
    FileStamp file;
    const Coding* coding = nullptr;
    const Conf* conf = nullptr;
  };
  // Null: not kept. Valid until the next add().
  const Slice* find(const Key& key);
  // A copy of the bytes; what has not been asked for the longest gives way.
  void add(const Key& key, const Slice& body);
  // Somebody is about to make it, and takes a while.
  bool is_under_way(const Key& key) const { return std::find(under_way_.begin(), under_way_.end(), key) != under_way_.end(); }
  void begin(const Key& key) { under_way_.push_back(key); }
  void end(const Key& key) { std::erase(under_way_, key); }

 private:
  // Scripts and pages of a site or a few; nobody needs to tune it.
  static constexpr std::size_t kMostBytes = 4 * 1024 * 1024, kMost = 256;
  class Entry {
   public:
    Key key;
    Slice body;
    std::uint64_t asked = 0;
  };
  void make_room(std::size_t size);

  std::vector<Entry> entries_;
  std::vector<Key> under_way_;
  std::size_t bytes_ = 0;
  std::uint64_t clock_ = 0;
};

}  // namespace seawall::compress
