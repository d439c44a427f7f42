// charset_map: how the bytes of one charset are those of another. Filled at start-up, read by every loop.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "seawall/config/directive.h"

namespace seawall::charset {

class CharsetMap {
 public:
  // charset_map FROM TO { BYTE BYTES; ... }; bytes in hexadecimal. ConfigError in nginx's wording.
  explicit CharsetMap(const Invocation& in);

  std::string from, to;
  bool to_utf8;
  std::array<std::string, 256> forth;         // of each byte in `from`; "?" where there is none
  std::array<char, 256> back{};               // of each byte in `to`, when that is a charset of single bytes
  std::unordered_map<std::uint32_t, char> back_from_utf8;  // of each character, when `to` is UTF-8

 private:
  void add(const Node& row);
};

}  // namespace seawall::charset
