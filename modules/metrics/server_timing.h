// The Server-Timing header: what the request has taken until its response begins, for the browser's developer tools.
#pragma once
#include "seawall/module/module.h"

namespace seawall::metrics {

void add_server_timing(Exchange& x, Response& response);

}  // namespace seawall::metrics
