// SipHash-1-3: a hash of text that nobody can foresee without its key, so that no client can make all of its names meet in
// one chain of a table. Pure.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "seawall/base/export.h"

namespace seawall {

class SEAWALL_API HashKey {
 public:
  static HashKey random();
  std::array<std::uint64_t, 2> words{};
};

SEAWALL_API std::uint64_t keyed_hash(const HashKey& key, std::string_view text);

}  // namespace seawall
