// Browsers of old that keepalive_disable knows by their User-Agent. Pure; any loop.
#pragma once
#include <string_view>

namespace seawall {

bool is_msie6(std::string_view user_agent);   // Internet Explorer 4 to 6 without the fixes of Windows XP SP2
bool is_safari(std::string_view user_agent);  // Safari on a Mac

}  // namespace seawall
