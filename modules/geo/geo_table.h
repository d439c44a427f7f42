// GeoTable: which value a geo block has for which address. Filled at start-up, then finished, then asked on any loop.
#pragma once
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "seawall/net/address.h"

namespace seawall::geo {

// The bytes of an address as one number of 128 bits.
class Number {
 public:
  std::uint64_t high = 0, low = 0;
  auto operator<=>(const Number&) const = default;
  Number next() const { return {high + (low + 1 == 0), low + 1}; }
  Number previous() const { return {high - (low == 0), low - 1}; }
};

// From first to last, both included, of AF_INET or AF_INET6.
class Span {
 public:
  int family = AF_INET;
  Number first, last;
};

// An IPv4 address inside IPv6 is the IPv4 address, as in nginx. What is neither (a unix socket) is 255.255.255.255, as there.
Span span_of(const Address& address);
// "192.0.2.0/24", "2001:db8::/32", one address. `low_bits`: it had bits behind the prefix.
std::optional<Span> parse_network(std::string_view text, bool& low_bits);
// "192.0.2.0-192.0.2.9"
std::optional<Span> parse_range(std::string_view text);

// Spans of one family that may lie inside each other: the smallest holds.
class Networks {
 public:
  // What the same network had before: it is replaced. Null: it is new.
  std::optional<std::string> add(const Span& span, const std::string& value);
  bool remove(const Span& span);

 private:
  friend class Table;
  // The outer ones first.
  class Outermost {
   public:
    bool operator()(const std::pair<Number, Number>& a, const std::pair<Number, Number>& b) const {
      return a.first != b.first ? a.first < b.first : b.second < a.second;
    }
  };
  std::map<std::pair<Number, Number>, std::string, Outermost> values_;
};

// Ranges that lie beside each other: one inside another divides it.
class Ranges {
 public:
  // As Networks::add(). ConfigError: range "TEXT" overlaps "FIRST-LAST".
  std::optional<std::string> add(const Span& span, const std::string& value, const std::string& text);
  bool remove(const Span& span);

 private:
  friend class Table;
  class Range {
   public:
    Number last;
    std::string value;
  };
  void divide(std::map<Number, Range>::iterator outer, const Span& span, const std::string& value);
  std::map<Number, Range> values_;
};

// Pieces side by side, for one family.
class Table {
 public:
  Table() = default;
  explicit Table(const Networks& networks);
  explicit Table(const Ranges& ranges);
  const std::string* find(const Number& number) const;  // null: none

 private:
  class Piece {
   public:
    Number first, last;
    std::string value;
  };
  std::vector<Piece> pieces_;
};

}  // namespace seawall::geo
