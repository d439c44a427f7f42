// MD5 (RFC 1321) where it is a name and no secret hangs on it: files of caches, ids of servers, links as nginx makes them. Any thread.
#pragma once
#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "seawall/base/export.h"

namespace seawall {

using Md5 = std::array<std::uint8_t, 16>;

// Of the parts as one text.
SEAWALL_API Md5 md5_of(std::initializer_list<std::string_view> parts);

}  // namespace seawall
