// The supervisor: holds the listening sockets, starts the worker, restarts it when it dies, reloads. It never reads
// network input. One thread.
#pragma once
#include "seawall/process/options.h"

namespace seawall {

// Loads the configuration, goes to the background if it says so, serves until SIGQUIT or SIGTERM. The exit code.
int run(const Options& options);

}  // namespace seawall
