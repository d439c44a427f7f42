#include "seawall/base/text.h"

#include <charconv>

#include "seawall/base/lower_word.h"

namespace seawall {

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  if (a.size() != b.size()) return false;
  std::size_t i = 0;
  for (; i + kWord <= a.size(); i += kWord)
    if (lower_word(a.data() + i) != lower_word(b.data() + i)) return false;
  if (i == a.size()) return true;
  if (a.size() >= kWord) return lower_word(a.data() + a.size() - kWord) == lower_word(b.data() + b.size() - kWord);
  for (; i < a.size(); ++i)
    if (to_lower(a[i]) != to_lower(b[i])) return false;
  return true;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = to_lower(c);
  return out;
}

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

namespace {

std::optional<std::uint64_t> parse_unsigned(std::string_view text, int base) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  auto [stop, error] = std::from_chars(text.data(), end, value, base);
  if (text.empty() || error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::uint64_t> parse_decimal(std::string_view text) { return parse_unsigned(text, 10); }
std::optional<std::uint64_t> parse_hex(std::string_view text) { return parse_unsigned(text, 16); }

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char l = to_lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

std::optional<std::string_view> next_list_element(std::string_view& rest) {
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const auto element = trim(rest.substr(0, comma));
    rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    if (!element.empty()) return element;
  }
  return std::nullopt;
}

}  // namespace seawall
