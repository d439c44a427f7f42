// Browsers of old that keepalive_disable and gzip_disable know by their User-Agent. Pure; any loop.
#pragma once
#include <string_view>

#include "seawall/base/export.h"

namespace seawall {

SEAWALL_API bool is_msie6(std::string_view user_agent);   // Internet Explorer 4 to 6 without the fixes of Windows XP SP2
SEAWALL_API bool is_safari(std::string_view user_agent);  // Safari on a Mac

}  // namespace seawall
