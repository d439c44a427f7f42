#include "seawall/route/location_index.h"

#include <algorithm>

#include "seawall/route/location.h"

namespace seawall {
namespace {

using Kind = Location::Kind;

constexpr int rank(char c) { return c == '/' ? -1 : static_cast<unsigned char>(c); }

std::size_t common_prefix(std::string_view a, std::string_view b) {
  const auto end = a.begin() + static_cast<std::ptrdiff_t>(std::min(a.size(), b.size()));
  return static_cast<std::size_t>(std::mismatch(a.begin(), end, b.begin()).first - a.begin());
}

bool before(std::string_view a, std::string_view b) {
  const std::size_t n = common_prefix(a, b);
  if (n == a.size() || n == b.size()) return a.size() < b.size();
  return rank(a[n]) < rank(b[n]);
}

bool is_static(const Location& l) {
  return l.kind == Kind::exact || l.kind == Kind::prefix || l.kind == Kind::prefix_no_regex;
}

}  // namespace

void LocationIndex::build(std::span<const std::unique_ptr<Location>> locations) {
  entries_.clear();
  regexes_.clear();
  std::vector<const Location*> statics;
  for (const auto& location : locations) {
    if (is_static(*location)) statics.push_back(location.get());
    if (location->kind == Kind::regex) regexes_.push_back(location.get());
  }
  // Stable: of two of the same name the later written is the duplicate.
  std::stable_sort(statics.begin(), statics.end(), [](auto* a, auto* b) { return before(a->name, b->name); });
  for (const Location* location : statics) join(location->name, *location);
}

void LocationIndex::join(std::string_view name, const Location& location) {
  if (entries_.empty() || entries_.back().name != name) {
    auto shorter = static_cast<std::int32_t>(entries_.size()) - 1;
    while (shorter >= 0 && !name.starts_with(entries_[static_cast<std::size_t>(shorter)].name))
      shorter = entries_[static_cast<std::size_t>(shorter)].shorter;
    Entry entry;
    entry.name = name;
    entry.shorter = shorter;
    entries_.push_back(entry);
  }
  Entry& entry = entries_.back();
  auto& slot = location.kind == Kind::exact ? entry.exact : entry.inclusive;
  if (slot) throw ConfigError("duplicate location \"" + location.name + "\"", location.place);
  slot = &location;
  entry.auto_redirect |= location.auto_redirect && name.ends_with('/');
}

std::int32_t LocationIndex::last_not_after(std::string_view path) const {
  const auto after = std::upper_bound(entries_.begin(), entries_.end(), path,
                                      [](std::string_view p, const Entry& e) { return before(p, e.name); });
  return static_cast<std::int32_t>(after - entries_.begin()) - 1;
}

LocationIndex::Match LocationIndex::find(std::string_view path) const {
  const std::int32_t last = last_not_after(path);
  Match match;
  if (last >= 0 && entries_[static_cast<std::size_t>(last)].name == path) {
    const Entry& same = entries_[static_cast<std::size_t>(last)];
    match.exact = same.exact != nullptr;
    match.location = same.exact ? same.exact : same.inclusive;
    return match;
  }
  if (const auto next = static_cast<std::size_t>(last + 1); next < entries_.size()) {
    const Entry& entry = entries_[next];
    if (entry.auto_redirect && entry.name.size() == path.size() + 1 && entry.name.starts_with(path)) {
      match.auto_redirect = true;
      match.location = entry.exact ? entry.exact : entry.inclusive;
      return match;
    }
  }
  if (last < 0) return match;
  const std::size_t shared = common_prefix(entries_[static_cast<std::size_t>(last)].name, path);
  for (auto i = last; i >= 0; i = entries_[static_cast<std::size_t>(i)].shorter) {
    const Entry& entry = entries_[static_cast<std::size_t>(i)];
    if (entry.name.size() > shared || !entry.inclusive) continue;
    match.location = entry.inclusive;
    break;
  }
  return match;
}

}  // namespace seawall
