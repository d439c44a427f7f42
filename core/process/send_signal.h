// -s: tells the running supervisor, whose pid is where the configuration says. A process of its own.
#pragma once
#include <string_view>

#include "seawall/process/options.h"

namespace seawall {

// SIGTERM, SIGQUIT, SIGUSR1, SIGHUP for stop, quit, reopen, reload; 0 for any other word.
int signal_of(std::string_view word);

// Sends it; nginx's lines when it cannot. The exit code.
int send_signal(const Options& options);

}  // namespace seawall
