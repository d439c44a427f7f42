// The request's id: made when it is first asked for; $request_id, the error log and whoever else names it say the same. One loop.
#pragma once
#include <string>

#include "seawall/base/export.h"

namespace seawall {

class Exchange;

// 32 hexadecimal digits; of a subrequest those of the client's request.
SEAWALL_API std::string request_id(Exchange& x);

}  // namespace seawall
