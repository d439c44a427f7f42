#include "geo_table.h"

#include <algorithm>

#include "seawall/base/text.h"
#include "seawall/config/tree.h"

namespace seawall::geo {
namespace {

Number number_of(std::string_view bytes) {
  Number number;
  for (const char byte : bytes) {
    number.high = number.high << 8 | number.low >> 56;
    number.low = number.low << 8 | static_cast<unsigned char>(byte);
  }
  return number;
}

constexpr std::string_view kMapped("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);

// The lowest `bits` are ones.
Number ones(int bits) {
  const auto below = [](int n) { return n <= 0 ? 0 : n >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << n) - 1; };
  return {below(bits - 64), below(bits)};
}

std::string text_of(const Number& v4) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) text += (text.empty() ? "" : ".") + std::to_string(v4.low >> shift & 255);
  return text;
}

}  // namespace

Span span_of(const Address& address) {
  Span span;
  std::string bytes = address.is_unix() || address.empty() ? std::string(4, '\xff') : address.binary();
  if (bytes.size() == 16 && bytes.starts_with(kMapped)) bytes.erase(0, kMapped.size());
  span.family = bytes.size() == 4 ? AF_INET : AF_INET6;
  span.first = span.last = number_of(bytes);
  return span;
}

std::optional<Span> parse_network(std::string_view text, bool& low_bits) {
  const std::size_t slash = text.find('/');
  const auto address = Address::parse_ip(text.substr(0, slash));
  if (!address) return std::nullopt;
  const std::string bytes = address->binary();
  const int all = static_cast<int>(bytes.size()) * 8;
  const auto prefix = slash == text.npos ? std::optional<std::uint64_t>(all) : parse_decimal(text.substr(slash + 1));
  if (!prefix || *prefix > static_cast<std::uint64_t>(all)) return std::nullopt;
  const Number number = number_of(bytes), host = ones(all - static_cast<int>(*prefix));
  Span span;
  span.family = address->family();
  span.first = {number.high & ~host.high, number.low & ~host.low};
  span.last = {number.high | host.high, number.low | host.low};
  low_bits = span.first != number;
  return span;
}

std::optional<Span> parse_range(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == text.npos) return std::nullopt;
  const auto first = Address::parse_ip(text.substr(0, dash)), last = Address::parse_ip(text.substr(dash + 1));
  if (!first || !last || first->family() != AF_INET || last->family() != AF_INET) return std::nullopt;
  Span span;
  span.first = number_of(first->binary());
  span.last = number_of(last->binary());
  if (span.last < span.first) return std::nullopt;
  return span;
}

std::optional<std::string> Networks::add(const Span& span, const std::string& value) {
  const auto [known, added] = values_.try_emplace({span.first, span.last}, value);
  if (added) return std::nullopt;
  return std::exchange(known->second, value);
}

bool Networks::remove(const Span& span) { return values_.erase({span.first, span.last}) > 0; }

std::optional<std::string> Ranges::add(const Span& span, const std::string& value, const std::string& text) {
  const auto after = values_.upper_bound(span.first);
  const auto refuse = [&](const auto& range) {
    throw ConfigError("range \"" + text + "\" overlaps \"" + text_of(range.first) + "-" + text_of(range.second.last) + "\"");
  };
  if (after != values_.end() && after->first <= span.last) refuse(*after);
  if (after == values_.begin() || std::prev(after)->second.last < span.first) {
    values_[span.first] = {span.last, value};
    return std::nullopt;
  }
  const auto outer = std::prev(after);
  if (outer->second.last < span.last) refuse(*outer);
  if (outer->first == span.first && outer->second.last == span.last) return std::exchange(outer->second.value, value);
  divide(outer, span, value);
  return std::nullopt;
}

void Ranges::divide(std::map<Number, Range>::iterator outer, const Span& span, const std::string& value) {
  const Range whole = outer->second;
  if (outer->first < span.first) outer->second.last = span.first.previous();
  if (span.last < whole.last) values_[span.last.next()] = whole;
  values_[span.first] = {span.last, value};
}

bool Ranges::remove(const Span& span) {
  const auto found = values_.find(span.first);
  if (found == values_.end() || found->second.last != span.last) return false;
  values_.erase(found);
  return true;
}

// From left to right, with those that are open at this point on a stack: the innermost is on top.
Table::Table(const Networks& networks) {
  std::vector<std::pair<Number, const std::string*>> open;  // where it ends, and its value
  Number from;
  const auto close_top = [&] {
    if (from <= open.back().first) pieces_.push_back({from, open.back().first, *open.back().second});
    from = std::max(from, open.back().first.next());
    open.pop_back();
  };
  for (const auto& [ends, value] : networks.values_) {
    while (!open.empty() && open.back().first < ends.first) close_top();
    if (!open.empty() && from < ends.first) pieces_.push_back({from, ends.first.previous(), *open.back().second});
    from = ends.first;
    open.emplace_back(ends.second, &value);
  }
  const Number highest{~std::uint64_t{0}, ~std::uint64_t{0}};
  while (!open.empty()) {
    // Behind the highest address there is no next one to begin with.
    const bool ends_all = open.back().first == highest;
    close_top();
    if (ends_all) break;
  }
}

Table::Table(const Ranges& ranges) {
  for (const auto& [first, range] : ranges.values_) pieces_.push_back({first, range.last, range.value});
}

const std::string* Table::find(const Number& number) const {
  const auto after = std::upper_bound(pieces_.begin(), pieces_.end(), number, [](const Number& n, const Piece& p) { return n < p.first; });
  if (after == pieces_.begin() || std::prev(after)->last < number) return nullptr;
  return &std::prev(after)->value;
}

}  // namespace seawall::geo
