// X-Accel-Charset: what an upstream says of the charset the client is to get. It goes before what the location says (charset), also
// where another location answers (X-Accel-Redirect). One loop.
#pragma once
#include <string>
#include <string_view>

#include "seawall/base/export.h"

namespace seawall {

class Exchange;

SEAWALL_API void tell_charset(Exchange& x, std::string_view name);
// Empty: nobody has told one.
SEAWALL_API const std::string& told_charset(Exchange& x);

}  // namespace seawall
