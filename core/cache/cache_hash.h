// CacheHash: the MD5 of a cache's key, which names the entry's file as nginx names it: scripts that remove files by their key go
// on working. Pure; any thread.
#pragma once
#include <array>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "seawall/base/export.h"
#include "seawall/tls/md5.h"

namespace seawall {

class SEAWALL_API CacheHash {
 public:
  CacheHash() = default;
  // Of the parts as one text.
  explicit CacheHash(std::initializer_list<std::string_view> parts);
  // 32 hex digits; nothing for any other text.
  static std::optional<CacheHash> parse(std::string_view hex);

  std::string hex() const;
  std::string_view view() const { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
  bool operator==(const CacheHash&) const = default;

  Md5 bytes{};
};

}  // namespace seawall
