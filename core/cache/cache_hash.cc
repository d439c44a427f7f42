#include "seawall/cache/cache_hash.h"

#include "seawall/base/hex.h"
#include "seawall/base/text.h"

namespace seawall {

CacheHash::CacheHash(std::initializer_list<std::string_view> parts) : bytes(md5_of(parts)) {}

std::optional<CacheHash> CacheHash::parse(std::string_view hex) {
  CacheHash hash;
  if (hex.size() != 2 * hash.bytes.size()) return std::nullopt;
  for (std::size_t i = 0; i < hash.bytes.size(); ++i) {
    const int high = hex_value(hex[2 * i]), low = hex_value(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    hash.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return hash;
}

std::string CacheHash::hex() const { return hex_of(bytes); }

}  // namespace seawall
