// The worker: one process that serves one configuration on N loops, one thread each. Started by the supervisor's fork (or
// by itself with master_process off).
#pragma once
#include <functional>

#include "seawall/process/configuration.h"
#include "seawall/process/listening.h"

namespace seawall {

// Serves until told to stop by SIGQUIT (drain) or SIGTERM; returns the process's exit code. `supervised`: dies with its
// parent, drops privileges. `renewals` (process/certificate_watch.h) brings certificates that have changed; none without a
// supervisor. `ready` is called once all loops accept.
int run_worker(const Configuration& configuration, const Listening& listening, bool supervised, const Fd& renewals,
               const std::function<void()>& ready);

}  // namespace seawall
