// The request target that an HTTP upstream is asked for. Pure; any thread.
#pragma once
#include <string>
#include <string_view>

#include "seawall/base/export.h"

namespace seawall {

class Exchange;

// The client's as it has sent it, unless something here has changed it since.
SEAWALL_API std::string passed_target(const Exchange& x);
// What would end the request line, or hide in it, is escaped: a variable may hold decoded text.
SEAWALL_API std::string as_target(std::string_view text);

}  // namespace seawall
