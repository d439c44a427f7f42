#include "map_table.h"

#include <algorithm>

#include "seawall/base/text.h"
#include "seawall/server/exchange.h"
#include "seawall/server/named_captures.h"

namespace seawall::map {
namespace {

[[noreturn]] void refuse_conflict(const std::string& key) { throw ConfigError("conflicting parameter \"" + key + "\""); }

}  // namespace

void MapTable::add(const std::string& key, Template value, VariableTable& variables) {
  if (key == "default") {
    if (default_) throw ConfigError("duplicate default map parameter");
    default_ = std::move(value);
  } else if (key.starts_with('~')) {
    const bool caseless = key.starts_with("~*");
    RegexValue row;
    row.regex = Regex::compile(key.substr(caseless ? 2 : 1), caseless);
    row.value = std::move(value);
    define_named_captures(*row.regex, variables);
    regexes_.push_back(std::move(row));
  } else {
    // A backslash protects texts that begin as one of those above.
    const std::string text = lower(key.starts_with('\\') ? std::string_view(key).substr(1) : std::string_view(key));
    if (hostnames) add_hostname(text, key, std::move(value));
    else add_exact(text, key, std::move(value));
  }
}

void MapTable::add_exact(const std::string& key, const std::string& written, Template value) {
  if (!exact_.add(key, std::move(value))) refuse_conflict(written);
}

void MapTable::add_hostname(const std::string& key, const std::string& written, Template value) {
  const auto stars = std::count(key.begin(), key.end(), '*');
  const bool head = key.starts_with("*."), tail = key.ends_with(".*"), both = key.starts_with('.');
  const bool dots = key.find("..") != key.npos;
  if (dots || stars != (head || tail ? 1 : 0) || key == "." || key == "*." || key == ".*")
    throw ConfigError("invalid hostname or wildcard \"" + written + "\"");
  if (both) {
    add_exact(key.substr(1), written, value);
    if (!heads_.add(key.substr(1), std::move(value))) refuse_conflict(written);
  } else if (head) {
    if (!heads_.add(key.substr(2), std::move(value))) refuse_conflict(written);
  } else if (tail) {
    if (!tails_.add(key.substr(0, key.size() - 2), std::move(value))) refuse_conflict(written);
  } else {
    add_exact(key, written, std::move(value));
  }
}

const Template* MapTable::find(Exchange& x, std::string_view text) const {
  if (hostnames && text.ends_with('.')) text.remove_suffix(1);
  const std::string key = lower(text);
  const Template* found = exact_.find(key);
  if (!found && hostnames) found = find_hostname(key);
  if (!found && !text.empty()) found = find_regex(x, text);
  if (!found && default_) found = &*default_;
  return found;
}

const Template* MapTable::find_hostname(std::string_view name) const {
  for (std::size_t dot = name.find('.'); dot != name.npos && !heads_.empty(); dot = name.find('.', dot + 1))
    if (const Template* found = heads_.find(name.substr(dot + 1))) return found;
  for (std::size_t dot = name.rfind('.'); dot != name.npos && dot > 0 && !tails_.empty(); dot = name.rfind('.', dot - 1))
    if (const Template* found = tails_.find(name.substr(0, dot))) return found;
  return nullptr;
}

const Template* MapTable::find_regex(Exchange& x, std::string_view text) const {
  for (const RegexValue& row : regexes_) {
    const auto outcome = row.regex->match(text, &x.captures);
    if (outcome == Regex::Outcome::no_match) continue;
    if (outcome == Regex::Outcome::failed) {
      x.log(Level::error, "a match limit was hit by \"" + row.regex->pattern() + "\"");
      return nullptr;
    }
    keep_named_captures(x, *row.regex, x.captures);
    return &row.value;
  }
  return nullptr;
}

}  // namespace seawall::map
