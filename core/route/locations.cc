#include "seawall/route/locations.h"

namespace seawall {
namespace {

using Kind = Location::Kind;

void compile_level(Location& location) {
  location.index.build(location.nested);
  for (auto& inner : location.nested) compile_level(*inner);
}

// One search: goes down the levels and comes back through their regexes.
class Search {
 public:
  Search(std::string_view path, Captures& captures, const Locations::OnRegex& on_regex)
      : path_(path), captures_(captures), on_regex_(on_regex) {}

  // True: the search is over. False: this level and the ones in it left the outer regexes their chance.
  bool visit(const Location& level) {
    const auto found = level.index.find(path_);
    if (found.location) match_.location = found.location;
    match_.exact = found.exact;
    match_.auto_redirect = found.auto_redirect;
    if (found.exact || found.auto_redirect) return true;
    if (found.location && visit(*found.location)) return true;
    // Of a nested `^~` the outer level knows nothing: its regexes are tried all the same. nginx's rule.
    const bool stopped = found.location && found.location->kind == Kind::prefix_no_regex;
    return !stopped && try_regexes(level);
  }

  LocationMatch match_;

 private:
  bool try_regexes(const Location& level) {
    for (const Location* location : level.index.regexes()) {
      const auto outcome = location->regex->match(path_, &captures_);
      if (outcome == Regex::Outcome::no_match) continue;
      match_.failed = outcome == Regex::Outcome::failed;
      if (match_.failed) return true;
      match_.location = location;
      if (on_regex_) on_regex_(*location->regex, captures_);
      visit(*location);
      return true;
    }
    return false;
  }

  std::string_view path_;
  Captures& captures_;
  const Locations::OnRegex& on_regex_;
};

}  // namespace

Locations::Locations() : root_(std::make_unique<Location>(Kind::root, std::string(), Place())) {}

Location& Locations::add(Location& parent, std::unique_ptr<Location> location) {
  return add_location(parent, std::move(location));
}

void Locations::compile() {
  compile_level(*root_);
  // Of two named alike nginx takes the first and says nothing.
  for (auto& location : root_->nested)
    if (location->kind == Kind::named) named_.try_emplace(location->name, location.get());
}

LocationMatch Locations::find(std::string_view path, Captures& captures, const OnRegex& on_regex) const {
  Search search(path, captures, on_regex);
  search.match_.location = root_.get();
  search.visit(*root_);
  return search.match_;
}

const Location* Locations::named(std::string_view name) const {
  const auto found = named_.find(name);
  return found == named_.end() ? nullptr : found->second;
}

}  // namespace seawall
