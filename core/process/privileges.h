// Limits and identity of a worker. Called before its threads start.
#pragma once
#include <sys/types.h>

#include "seawall/server/core_conf.h"

namespace seawall {

// worker_rlimit_nofile, worker_rlimit_core (bytes; -1: as inherited), worker_priority, working_directory. Failures are logged as
// nginx logs them (alert) and survived.
void set_limits(const MainConf& main, std::int64_t core_size);
// user: group first, then user, never back; then no capability, and no way to one. Throws std::runtime_error.
void drop_privileges(const MainConf& main, pid_t supervisor);
// This process hears SIGQUIT when its parent, `supervisor`, ends; at once if it has.
void end_with(pid_t supervisor);
// Whom drop_privileges() becomes; -1 when it changes nothing.
uid_t worker_user(const MainConf& main);

}  // namespace seawall
