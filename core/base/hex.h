// Bytes as lower-case hexadecimal digits, two each (RFC 4648 8 in lower case, as digests and identifiers are written). Any thread.
#pragma once
#include <string>
#include <string_view>

namespace seawall {

inline void append_hex(std::string_view bytes, std::string& out) {
  constexpr char digits[] = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out.push_back(digits[byte >> 4]);
    out.push_back(digits[byte & 15]);
  }
}

// Of any range of single bytes that lie one behind the other.
template <class Bytes>
std::string hex_of(const Bytes& bytes) {
  static_assert(sizeof(*std::data(bytes)) == 1);
  std::string out;
  out.reserve(2 * std::size(bytes));
  append_hex({reinterpret_cast<const char*>(std::data(bytes)), std::size(bytes)}, out);
  return out;
}

}  // namespace seawall
