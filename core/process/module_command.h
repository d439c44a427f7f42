// `seawall acme ...`: the command of a module, with a configuration. Start-up thread.
#pragma once
#include <string>
#include <vector>

#include "seawall/process/options.h"

namespace seawall {

// False when it has said why it could not.
bool run_module_command(const std::string& module, const Options& options, const std::vector<std::string>& words);

}  // namespace seawall
