#include "seawall/server/told_charset.h"

#include "seawall/server/core_module.h"
#include "seawall/server/exchange.h"

namespace seawall {

void tell_charset(Exchange& x, std::string_view name) { x.state<CoreModule>().charset = name; }

const std::string& told_charset(Exchange& x) { return x.state<CoreModule>().charset; }

}  // namespace seawall
