// Bytes as lower-case hexadecimal digits, two each (RFC 4648 8 in lower case, as digests and identifiers are written). Any thread.
#pragma once
#include <string>
#include <string_view>

namespace seawall {

inline void append_hex(std::string_view bytes, std::string& out) {
  constexpr char digits[] = "0123456789abcdef";
  const std::size_t before = out.size();
  out.resize(before + 2 * bytes.size());
  char* at = out.data() + before;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    *at++ = digits[byte >> 4];
    *at++ = digits[byte & 15];
  }
}

// Of any range of single bytes that lie one behind the other.
template <class Bytes>
std::string hex_of(const Bytes& bytes) {
  static_assert(sizeof(*std::data(bytes)) == 1);
  std::string out;
  append_hex({reinterpret_cast<const char*>(std::data(bytes)), std::size(bytes)}, out);
  return out;
}

}  // namespace seawall
