// `seawall routes`: what a configuration serves, and how long each phase of a request may take there.
#pragma once
#include "seawall/process/options.h"

namespace seawall {

// Prints every server with its addresses, names and locations, each with its place and the modules that act there;
// `timeouts`: and the bound of every phase, with a star where the configuration has set it. False, and a message, when the
// configuration is wrong.
bool print_routes(const Options& options, bool timeouts);

}  // namespace seawall
