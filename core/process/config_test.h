// -t and -T: would the server start with this configuration? Start-up thread.
#pragma once
#include "seawall/process/options.h"

namespace seawall {

// Loads the configuration as a start would, and asks whether its sockets and its pid file could be had; changes nothing
// but what opening its logs changes. Prints nginx's lines; the exit code.
int test_configuration(const Options& options);

}  // namespace seawall
