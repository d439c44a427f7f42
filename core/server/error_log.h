// The directive `error_log`, of the main context and of http, server and location. Start-up thread.
#pragma once
#include "seawall/config/directive.h"
#include "seawall/log/log.h"

namespace seawall {

// error_log FILE | stderr | syslog:... [LEVEL] [format=text | json] [request_id] [rate=N/s | N/m]; opens the file. ConfigError in nginx's wording.
void append_error_log(LogTargets& targets, const Invocation& in);

}  // namespace seawall
