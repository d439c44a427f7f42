// LocationIndex: the locations of one level in the form they are searched in. Made by build() at start-up, then read by
// every loop. It points to locations that their level owns.
//
// Names are sorted with '/' before every other byte. In that order all names that begin with P follow P without a gap,
// so the greatest name not after a path is the longest prefix of that path or begins with it: one binary search and a
// short climb find the location, however many there are; and "/a/" is the next neighbour of the path "/a"
// (auto_redirect).
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "seawall/base/export.h"

namespace seawall {

class Location;

class SEAWALL_API LocationIndex {
 public:
  class Match {
   public:
    const Location* location = nullptr;  // null: none of this level
    bool exact = false;                  // `= name`: nothing else is looked for
    bool auto_redirect = false;          // the path lacks the final slash of `location`, which asks for a redirect
  };

  // ConfigError: duplicate location "NAME" in FILE:LINE.
  void build(std::span<const std::unique_ptr<Location>> locations);
  // The longest location without a regex that `path` begins with.
  Match find(std::string_view path) const;
  std::span<const Location* const> regexes() const { return regexes_; }  // in the order written

 private:
  class Entry {
   public:
    std::string_view name;  // the location's
    const Location* exact = nullptr;
    const Location* inclusive = nullptr;
    std::int32_t shorter = -1;  // the longest other entry that is a prefix of this one
    bool auto_redirect = false;
  };
  void join(std::string_view name, const Location& location);
  std::int32_t last_not_after(std::string_view path) const;

  std::vector<Entry> entries_;
  std::vector<const Location*> regexes_;
};

}  // namespace seawall
