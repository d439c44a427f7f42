// The worker: one process that serves one configuration on N loops, one thread each. Started by the supervisor's fork (or
// by itself with master_process off).
#pragma once
#include <signal.h>
#include <sys/types.h>

#include <functional>
#include <string>

#include "seawall/process/configuration.h"
#include "seawall/process/listening.h"

namespace seawall {

// Not WINCH as in nginx: a terminal sends that to all processes when its window changes.
inline constexpr int kTakenOver = SIGUSR2;

// Serves until told to stop by SIGTERM (now), SIGQUIT (requests are finished, idle connections closed) or kTakenOver
// (another worker serves: idle connections have keepalive_min_timeout, too); returns the process's exit code. `supervisor`:
// its parent, with which it ends and for which it drops its privileges; 0: none. `probe`: asks its own servers before it accepts
// (process/self_probe.h). `renewals` (process/certificate_watch.h) brings certificates that have changed; none without a
// supervisor; the worker's direction of it is closed when no loop accepts any more. `ready` is called: with "" when all loops
// accept, or with what is wrong; none of them accepts then. Only the first call counts.
using Ready = std::function<void(const std::string& wrong)>;
int run_worker(const Configuration& configuration, const Listening& listening, pid_t supervisor, bool probe, const Fd& renewals,
               const Ready& ready);

}  // namespace seawall
