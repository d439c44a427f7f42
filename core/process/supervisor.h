// The supervisor: holds the listening sockets, starts the worker, restarts it when it dies, reloads, upgrades. It never reads
// network input. One thread.
#pragma once
#include <memory>

#include "seawall/process/configuration.h"
#include "seawall/process/daemon.h"
#include "seawall/process/listening.h"
#include "seawall/process/options.h"

namespace seawall {

// Serves until SIGQUIT or SIGTERM; the exit code. `options` are those of later reloads. `in_background`: no terminal is ours.
int supervise(const Options& options, std::unique_ptr<Configuration> conf, std::unique_ptr<Listening> listening, PidFile& pid_file,
              bool in_background);

}  // namespace seawall
