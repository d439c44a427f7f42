// Location: one location block (or the server itself, as the root of its locations). Made at start-up by the directive
// `location`, owned by the level it stands in; after Locations::compile() immutable and read by every loop.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "seawall/base/export.h"
#include "seawall/config/regex.h"
#include "seawall/config/tree.h"
#include "seawall/route/location_index.h"

namespace seawall {

class CoreConf;
class Settings;
struct Plan;

class SEAWALL_API Location {
 public:
  // prefix_no_regex is `^~`. root is the server, unnamed what `if` and `limit_except` open: neither is searched for.
  enum class Kind : std::uint8_t { root, unnamed, exact, prefix, prefix_no_regex, regex, named };

  Location(Kind kind, std::string name, const Place& place) : kind(kind), name(std::move(name)), place(place) {}
  Location(const Location&) = delete;
  Location& operator=(const Location&) = delete;

  Kind kind;
  // A prefix location whose name ends in '/': the same path without that slash is answered by 301 (proxy_pass and its
  // kin ask for it). Set before compile().
  bool auto_redirect = false;
  std::string name;                     // without the modifier; of a regex its pattern; of a named one with its '@'; of an
                                        // unnamed one its parent's
  std::shared_ptr<const Regex> regex;   // of Kind::regex
  Location* parent = nullptr;           // null for the root
  Settings* settings = nullptr;         // not owned: the configuration's
  const CoreConf* core = nullptr;       // not owned: of `settings`
  std::shared_ptr<const Plan> plan;
  Place place;
  std::vector<std::unique_ptr<Location>> nested;  // in the order written
  LocationIndex index;                            // of `nested`

  // Do directives that hold for one location alone (a handler, as proxy_pass), written in the block with these settings, hold
  // here? In that block, and in an `if` or `limit_except` inside it.
  bool holds(const Settings* block) const {
    const Location* location = this;
    while (location->settings != block && location->kind == Kind::unnamed) location = location->parent;
    return location->settings == block;
  }
};

// Reads the words of `location WORDS { }` as nginx does, modifiers with or without a space, and compiles the regex.
// ConfigError: invalid location modifier; what Regex::compile throws.
SEAWALL_API std::unique_ptr<Location> parse_location(const std::vector<std::string>& words, const Place& place);

// Puts a location into its parent. ConfigError, nginx's wordings with the location's own place: not inside an exact or
// a named one, a named one only on the server level, a prefix outside its parent's.
SEAWALL_API Location& add_location(Location& parent, std::unique_ptr<Location> location);

}  // namespace seawall
