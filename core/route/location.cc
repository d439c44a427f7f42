#include "seawall/route/location.h"

#include <string_view>

namespace seawall {
namespace {

using Kind = Location::Kind;

std::unique_ptr<Location> regex_location(const std::string& pattern, bool caseless, const Place& place) {
  auto location = std::make_unique<Location>(Kind::regex, pattern, place);
  location->regex = Regex::compile(pattern, caseless);
  return location;
}

// `location ~* \.gif$`
std::unique_ptr<Location> with_modifier(const std::string& modifier, const std::string& name, const Place& place) {
  if (modifier == "=") return std::make_unique<Location>(Kind::exact, name, place);
  if (modifier == "^~") return std::make_unique<Location>(Kind::prefix_no_regex, name, place);
  if (modifier == "~") return regex_location(name, false, place);
  if (modifier == "~*") return regex_location(name, true, place);
  throw ConfigError("invalid location modifier \"" + modifier + "\"");
}

// `location ~*\.gif$`, and what has no modifier at all.
std::unique_ptr<Location> without_space(const std::string& word, const Place& place) {
  if (word.starts_with("=")) return std::make_unique<Location>(Kind::exact, word.substr(1), place);
  if (word.starts_with("^~")) return std::make_unique<Location>(Kind::prefix_no_regex, word.substr(2), place);
  if (word.starts_with("~*")) return regex_location(word.substr(2), true, place);
  if (word.starts_with("~")) return regex_location(word.substr(1), false, place);
  return std::make_unique<Location>(word.starts_with("@") ? Kind::named : Kind::prefix, word, place);
}

// With the place: the parent's block may be read to its end before its children are put into it.
[[noreturn]] void refuse(const Location& location, const std::string& message) {
  throw ConfigError(message, location.place);
}

void check_nesting(const Location& parent, const Location& location) {
  const std::string name = "location \"" + location.name + "\"";
  if (parent.kind == Kind::exact)
    refuse(location, name + " cannot be inside the exact location \"" + parent.name + "\"");
  if (parent.kind == Kind::named)
    refuse(location, name + " cannot be inside the named location \"" + parent.name + "\"");
  if (location.kind == Kind::named) refuse(location, "named " + name + " can be on the server level only");
  // Inside a regex this compares with the pattern, as nginx does: in effect only regexes may stand there.
  if (location.kind != Kind::regex && !location.name.starts_with(parent.name))
    refuse(location, name + " is outside location \"" + parent.name + "\"");
}

void take_name(Location& unnamed, const Location& parent) {
  unnamed.name = parent.name;
  unnamed.regex = parent.regex;
  for (auto& nested : unnamed.nested) take_name(*nested, unnamed);
}

}  // namespace

std::unique_ptr<Location> parse_location(const std::vector<std::string>& words, const Place& place) {
  return words.size() == 2 ? with_modifier(words[0], words[1], place) : without_space(words.at(0), place);
}

Location& add_location(Location& parent, std::unique_ptr<Location> location) {
  if (location->kind == Kind::unnamed) take_name(*location, parent);
  else if (parent.kind != Kind::root) check_nesting(parent, *location);
  location->parent = &parent;
  parent.nested.push_back(std::move(location));
  return *parent.nested.back();
}

}  // namespace seawall
