// Locations: all locations of one server, and the search for the one that serves a path. Filled at start-up, compiled
// once, then read by every loop. A vhost owns it; it may move until compile() at the latest.
//
//   Location& in = locations.add(locations.root(), parse_location(words, place));
//   ...
//   locations.compile();
//   const auto found = locations.find(x.uri, x.captures);
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "seawall/route/location.h"

namespace seawall {

class LocationMatch {
 public:
  const Location* location = nullptr;  // never null from find(): the root when nothing else matched
  bool exact = false;                  // found by `=`
  bool auto_redirect = false;          // answer 301 to the path with a slash appended, under location's settings
  bool failed = false;                 // a regex hit its match limit: answer 500 (nginx does)
};

class SEAWALL_API Locations {
 public:
  // Told of each regex that matched, outer ones first, while its captures are in place: how its named groups become
  // variables. Captures itself keeps only the last.
  using OnRegex = std::function<void(const Regex&, const Captures&)>;

  Locations();
  Location& root() { return *root_; }
  const Location& root() const { return *root_; }
  // See add_location() for the errors.
  Location& add(Location& parent, std::unique_ptr<Location> location);
  // Makes what find() and named() search. ConfigError: duplicate location "NAME" in FILE:LINE.
  void compile();

  // nginx's search for a decoded, normalised path: exact, then the longest prefix and what is nested in it, then the
  // regexes level by level from the inside out, unless `^~` stops them. `captures` stay when no regex matches.
  LocationMatch find(std::string_view path, Captures& captures, const OnRegex& on_regex = {}) const;
  const Location* named(std::string_view name) const;  // with its '@'; null: there is none

 private:
  std::unique_ptr<Location> root_;  // on the heap, so that parent pointers survive a move
  std::unordered_map<std::string_view, const Location*> named_;
};

}  // namespace seawall
