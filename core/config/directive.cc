#include "seawall/config/directive.h"

#include <cctype>
#include <cstdint>
#include <limits>

#include "seawall/base/text.h"
#include "seawall/config/binder.h"

namespace seawall {

Template Invocation::compile(std::string_view text) const { return Template::compile(text, binder.variables(), node.place); }

std::string Invocation::prefixed(std::string_view path) const {
  return path.starts_with('/') ? std::string(path) : binder.options().prefix + std::string(path);
}

std::string Invocation::conf_prefixed(std::string_view path) const {
  return path.starts_with('/') ? std::string(path) : binder.options().conf_prefix + std::string(path);
}

void Invocation::warn(const std::string& message) const { binder.options().warn(message + " in " + node.place.text()); }

void throw_duplicate(const char* name) { throw ConfigError("\"" + std::string(name) + "\" directive is duplicate"); }

void throw_invalid_value(const std::string& value, const char* name) {
  throw ConfigError("invalid value \"" + value + "\" in \"" + name + "\" directive");
}

namespace {

[[noreturn]] void throw_invalid(const Invocation& in) { throw ConfigError("\"" + in.node.name + "\" directive invalid value"); }

// number x unit without overflow.
std::optional<std::int64_t> scaled(std::string_view digits, std::int64_t unit) {
  const auto number = parse_decimal(digits);
  if (!number || *number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max() / unit)) return std::nullopt;
  return static_cast<std::int64_t>(*number) * unit;
}

// Milliseconds of one part of a time, and its rank: parts come from large to small, each at most once.
struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
  int rank;
};
constexpr std::int64_t kSecond = 1000, kDay = 24 * 3600 * kSecond;
constexpr Unit kUnits[] = {{"y", 365 * kDay, 1}, {"M", 30 * kDay, 2}, {"w", 7 * kDay, 3}, {"d", kDay, 4},
                           {"h", 3600 * kSecond, 5}, {"ms", 1, 8}, {"m", 60 * kSecond, 6}, {"s", kSecond, 7}};

const Unit* unit_at(std::string_view rest) {
  for (const Unit& unit : kUnits)
    if (rest.starts_with(unit.name)) return &unit;
  return nullptr;
}

}  // namespace

// nginx's grammar: digits with units y M w d h m s ms, from large to small; a bare number is seconds.
std::optional<std::chrono::milliseconds> time_of(std::string_view word) {
  if (word == "off") return std::chrono::milliseconds(0);
  std::int64_t total = 0;
  int rank = 0;
  if (word.empty()) return std::nullopt;
  while (!word.empty()) {
    std::size_t n = 0;
    while (n < word.size() && is_digit(word[n])) ++n;
    const std::string_view digits = word.substr(0, n);
    word.remove_prefix(n);
    std::int64_t factor = kSecond;
    int at = 9;  // a bare number may only be the last part
    if (!word.empty()) {
      const Unit* unit = unit_at(word);
      if (!unit) return std::nullopt;
      factor = unit->milliseconds;
      at = unit->rank;
      word.remove_prefix(unit->name.size());
      while (word.starts_with(' ')) word.remove_prefix(1);
    }
    if (at <= rank) return std::nullopt;
    rank = at;
    const auto part = scaled(digits, factor);
    if (!part || *part > std::numeric_limits<std::int32_t>::max() * std::int64_t{1000} - total) return std::nullopt;
    total += *part;
  }
  return std::chrono::milliseconds(total);
}

std::optional<std::int64_t> size_of(std::string_view word) {
  if (word.empty()) return std::nullopt;
  std::int64_t unit = 1;
  switch (to_lower(word.back())) {
    case 'k': unit = 1024; break;
    case 'm': unit = 1024 * 1024; break;
    case 'g': unit = 1024 * 1024 * 1024; break;
    default: return scaled(word, 1);
  }
  return scaled(word.substr(0, word.size() - 1), unit);
}

bool parse_flag(const Invocation& in) {
  if (equals_ignoring_case(in.arg(0), "on")) return true;
  if (equals_ignoring_case(in.arg(0), "off")) return false;
  throw ConfigError("invalid value \"" + in.arg(0) + "\" in \"" + in.node.name + "\" directive, it must be \"on\" or \"off\"");
}

std::int64_t parse_number(const Invocation& in) {
  const auto number = scaled(in.arg(0), 1);
  if (!number) throw ConfigError("\"" + in.node.name + "\" directive invalid number");
  return *number;
}

std::chrono::milliseconds parse_time(const Invocation& in) {
  const auto time = time_of(in.arg(0));
  if (!time) throw_invalid(in);
  return *time;
}

std::int64_t parse_size(const Invocation& in) {
  const auto size = size_of(in.arg(0));
  if (!size) throw_invalid(in);
  return *size;
}

std::string parse_text(const Invocation& in) { return in.arg(0); }
std::vector<std::string> parse_words(const Invocation& in) { return in.args(); }
Template parse_template(const Invocation& in) { return in.compile(in.arg(0)); }

std::string text_of(bool value) { return value ? "on" : "off"; }
std::string text_of(std::int64_t value) {
  for (const auto& [unit, name] : {std::pair<std::int64_t, const char*>{1 << 30, "g"}, {1 << 20, "m"}, {1 << 10, "k"}})
    if (value >= unit && value % unit == 0) return std::to_string(value / unit) + name;
  return std::to_string(value);
}
std::string text_of(std::chrono::milliseconds value) {
  const std::int64_t ms = value.count();
  if (ms == 0) return "0";
  for (const auto& [unit, name] :
       {std::pair<std::int64_t, const char*>{kDay, "d"}, {3600 * kSecond, "h"}, {60 * kSecond, "m"}, {kSecond, "s"}})
    if (ms % unit == 0 && (unit == kSecond || ms / unit < 120)) return std::to_string(ms / unit) + name;
  return std::to_string(ms) + "ms";
}
std::string text_of(const std::string& value) { return value; }
std::string text_of(const std::vector<std::string>& value) {
  std::string text;
  for (const std::string& word : value) text += (text.empty() ? "" : " ") + word;
  return text;
}
std::string text_of(const Template& value) { return value.source(); }

}  // namespace seawall
