// Reads the command line and does what needs no server: -h, -v, -V, -t, -T, -s and our own commands.
#pragma once
#include <optional>

#include "seawall/process/options.h"

namespace seawall {

// The options of a start; nothing when the command line has been dealt with, then `exit_code` says how.
std::optional<Options> read_command_line(int argc, char** argv, int& exit_code);

}  // namespace seawall
