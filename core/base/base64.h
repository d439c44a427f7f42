// Base64 of RFC 4648 section 4, as Basic authentication and HTTP2-Settings carry it. Any thread.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "seawall/base/export.h"

namespace seawall {

// Nothing for a foreign character or an impossible length; missing padding is taken.
SEAWALL_API std::optional<std::string> decode_base64(std::string_view text);

}  // namespace seawall
