// Variables that were given a value for the rest of the request: by set, by a named capture. One loop.
#pragma once
#include <string>
#include <string_view>

#include "seawall/server/exchange.h"

namespace seawall {

// Null: this name (in lower case) was given none. A variable that the configuration may define twice (map, geo, ...) asks here before
// it thinks of a value of its own: as in nginx, what was written counts, whichever definition stands later in the file.
inline const std::string* find_written(const Exchange& x, std::string_view name) {
  for (const auto& [key, value] : x.named_captures)
    if (key == name) return &value;
  return nullptr;
}

}  // namespace seawall
