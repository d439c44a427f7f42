// From the command line to the serving process: configuration, listening sockets, background, pid file.
#pragma once
#include "seawall/process/options.h"

namespace seawall {

// Serves until SIGQUIT or SIGTERM. The exit code: 0, or 1 when it could not start, with the reason on standard error.
int run(const Options& options);

}  // namespace seawall
