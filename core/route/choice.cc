#include "seawall/route/choice.h"

#include <algorithm>

namespace seawall {
namespace {

using Kind = Location::Kind;

const char* modifier_of(const Location& location) {
  switch (location.kind) {
    case Kind::exact: return "= ";
    case Kind::prefix_no_regex: return "^~ ";
    case Kind::regex: return location.regex->caseless() ? "~* " : "~ ";
    default: return "";
  }
}

// The chosen location and those it lies in, the outermost first, without the server.
std::vector<const Location*> way_to(const Location& chosen) {
  std::vector<const Location*> way;
  for (const Location* location = &chosen; location->parent; location = location->parent) way.insert(way.begin(), location);
  return way;
}

// `instead`: the one of its level that was taken; null: none of them was.
const char* reason(const Location& location, std::string_view path, const Location* instead) {
  const bool regex_taken = instead && instead->kind == Kind::regex;
  switch (location.kind) {
    case Kind::exact: return location.name == path ? "" : "the path is another";
    case Kind::prefix:
    case Kind::prefix_no_regex:
      if (!path.starts_with(location.name)) return "the path does not begin with it";
      return regex_taken ? "a regular expression goes before it" : "a longer one was found";
    case Kind::regex:
      if (location.regex->match(path) != Regex::Outcome::matched) return "it does not match";
      return regex_taken ? "one before it matches" : "what was found before ends the search";
    default: return "";
  }
}

}  // namespace

std::string title_of(const Location& location) {
  switch (location.kind) {
    case Kind::root: return "(server)";
    case Kind::unnamed: return "(if, limit_except)";
    default: return "location " + std::string(modifier_of(location)) + location.name;
  }
}

std::string title_and_place_of(const Location& location) {
  return title_of(location) + (location.kind == Kind::root ? "" : " in " + location.place.text());
}

std::vector<std::string> not_chosen(const Locations& all, std::string_view path, const Location& chosen) {
  std::vector<std::string> lines;
  const Location* level = &all.root();
  auto way = way_to(chosen);
  way.push_back(nullptr);
  for (const Location* taken : way) {
    for (const auto& other : level->nested) {
      if (other.get() == taken || other->kind == Kind::named || other->kind == Kind::unnamed) continue;
      lines.push_back("not " + title_and_place_of(*other) + ": " + reason(*other, path, taken));
    }
    if (taken) level = taken;
  }
  return lines;
}

}  // namespace seawall
