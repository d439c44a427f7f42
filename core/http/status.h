// Status codes: reason phrases of RFC 9110 and nginx's page titles, its internal codes (494-497) included. Pure.
#pragma once
#include <string_view>

#include "seawall/base/export.h"

namespace seawall {

// For the status line; empty for codes nobody has named.
SEAWALL_API std::string_view reason_phrase(int status);
// "404 Not Found", as on the default error page; empty for codes that have no page.
SEAWALL_API std::string_view page_title(int status);
// False: the response ends with its head (RFC 9112 6.3).
constexpr bool may_have_body(int status) { return status >= 200 && status != 204 && status != 304; }
// Location says where to go on.
constexpr bool is_redirect(int status) { return status >= 301 && status <= 308 && status != 304; }
// What the client is told: 400 for 494-497, the code itself otherwise.
SEAWALL_API int public_status(int status);

}  // namespace seawall
