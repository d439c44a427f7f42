// What the server calls itself: in the Server field and on its default pages, by server_tokens and compat nginx.
#pragma once
#include <string_view>

#include "seawall/base/export.h"

namespace seawall {

class Exchange;

inline constexpr std::string_view kVersion = "0.1.0";
inline constexpr std::string_view kNginxLevel = "1.31.4";  // the level of nginx's language that is implemented

SEAWALL_API std::string_view server_field(const Exchange& x);      // seawall/0.1.0, or seawall
SEAWALL_API std::string_view server_signature(const Exchange& x);  // the same on pages
// `compat nginx;`: nginx's name instead of ours. Set at start-up.
void set_nginx_name(bool on);
// ... and bodies that a module makes are framed as nginx's are: in chunks, though their length is known.
SEAWALL_API bool is_nginx_alike();

}  // namespace seawall
