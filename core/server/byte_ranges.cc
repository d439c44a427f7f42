#include "seawall/server/byte_ranges.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "seawall/base/text.h"

namespace seawall {
namespace {

// Without max_ranges the parts' own heads count too, this many bytes each, and may exceed the body by this much: it must
// never be worth while to ask for a body in a thousand pieces.
constexpr std::int64_t kPartHead = 256;
constexpr std::int64_t kTolerance = 4096;
constexpr std::int64_t kNoLimit = std::numeric_limits<std::int32_t>::max();

void skip_spaces(std::string_view& text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
}

// Digits, bounded by what an off_t holds.
std::optional<std::int64_t> take_number(std::string_view& text) {
  std::size_t n = 0;
  while (n < text.size() && is_digit(text[n])) ++n;
  const auto value = parse_decimal(text.substr(0, n));
  text.remove_prefix(n);
  if (n == 0 || !value || *value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
  return static_cast<std::int64_t>(*value);
}

// One "first-last", "first-" or "-suffix" as [begin, end), which may be empty; nothing: not a range at all.
std::optional<std::pair<std::int64_t, std::int64_t>> take_range(std::string_view& text, std::int64_t length) {
  skip_spaces(text);
  std::optional<std::int64_t> first;
  if (!text.starts_with('-')) {
    first = take_number(text);
    skip_spaces(text);
    if (!first || !text.starts_with('-')) return std::nullopt;
  }
  text.remove_prefix(1);
  if (first) skip_spaces(text);
  if (first && (text.empty() || text.front() == ',')) return std::pair(*first, length);
  const auto number = take_number(text);
  skip_spaces(text);
  if (!number || (!text.empty() && text.front() != ',')) return std::nullopt;
  if (first) return std::pair(*first, *number >= length ? length : *number + 1);
  return std::pair(std::max<std::int64_t>(length - *number, 0), length);
}

}  // namespace

ByteRanges::ByteRanges(std::string_view field, std::uint64_t length, std::int64_t most) {
  if (field.size() < 7 || !equals_ignoring_case(field.substr(0, 6), "bytes=")) answer_ = Answer::whole;
  else answer_ = parse(field.substr(6), static_cast<std::int64_t>(length), most);
}

ByteRanges::Answer ByteRanges::parse(std::string_view text, std::int64_t length, std::int64_t most) {
  std::int64_t total = 0;
  for (;;) {
    const auto range = take_range(text, length);
    if (!range) return Answer::unsatisfiable;
    const auto [begin, end] = *range;
    if (begin < end) {
      parts_.emplace_back(static_cast<std::uint64_t>(begin), static_cast<std::uint64_t>(end));
      if (static_cast<std::int64_t>(parts_.size()) > most) return Answer::whole;
      if (end - begin > std::numeric_limits<std::int64_t>::max() - total) return Answer::unsatisfiable;
      total += end - begin;
    } else if (begin == 0) {
      return Answer::whole;
    }
    if (text.empty()) break;
    text.remove_prefix(1);  // the comma
  }
  if (parts_.empty()) return Answer::unsatisfiable;
  if (parts_.size() == 1) return Answer::parts;
  if (total > length) return Answer::whole;
  const auto heads = static_cast<std::int64_t>(parts_.size()) * kPartHead;
  if (most == kNoLimit && total + heads > length + kTolerance) return Answer::whole;
  return Answer::parts;
}

}  // namespace seawall
