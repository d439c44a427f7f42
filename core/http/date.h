// HTTP dates (RFC 9110 5.6.7): the one form to write, three to read. Any thread.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "seawall/base/export.h"

namespace seawall {

// "Sun, 06 Nov 1994 08:49:37 GMT"; seconds since 1970.
SEAWALL_API std::string http_date(std::int64_t seconds);
// IMF-fixdate, RFC 850 and asctime forms; nothing for anything else.
SEAWALL_API std::optional<std::int64_t> parse_http_date(std::string_view text);
// The present date, composed once a second and thread; valid until the next call on this thread.
SEAWALL_API std::string_view current_date();

}  // namespace seawall
