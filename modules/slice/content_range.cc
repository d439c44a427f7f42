#include "content_range.h"

#include <algorithm>

#include "seawall/base/text.h"

namespace seawall::slice {
namespace {

void skip_spaces(std::string_view& text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
}

std::optional<std::uint64_t> take_number(std::string_view& text) {
  skip_spaces(text);
  const auto digits = static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) - text.begin());
  const std::optional<std::uint64_t> number = parse_decimal(text.substr(0, digits));
  text.remove_prefix(digits);
  skip_spaces(text);
  if (number && *number > INT64_MAX) return std::nullopt;
  return number;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<ContentRange> parse_content_range(std::string_view field) {
  if (!field.starts_with("bytes ")) return std::nullopt;
  field.remove_prefix(6);
  const auto first = take_number(field);
  if (!first || !take(field, '-')) return std::nullopt;
  const auto last = take_number(field);
  if (!last || *last < *first || !take(field, '/')) return std::nullopt;
  ContentRange range;
  range.begin = *first;
  range.end = *last + 1;
  skip_spaces(field);
  if (!take(field, '*')) {
    range.complete = take_number(field);
    if (!range.complete || *range.complete < range.end) return std::nullopt;
  }
  skip_spaces(field);
  if (!field.empty()) return std::nullopt;
  return range;
}

}  // namespace seawall::slice
