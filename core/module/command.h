// A module's own command, `seawall NAME WORD...`: run in a process of its own with the configuration of -c, of which it gets the main
// block's Conf. Modules have one because they say SEAWALL_COMMAND(M, function) beside SEAWALL_MODULE(M).
#pragma once
#include <string>
#include <vector>

#include "seawall/base/export.h"

namespace seawall {

// The exit code.
using CommandFunction = int (*)(const void* conf, const std::vector<std::string>& words);

#define SEAWALL_COMMAND(M, function)                                                                    \
  extern "C" SEAWALL_API int seawall_command(const void* conf, const std::vector<std::string>& words) { \
    return function(*static_cast<const M::Conf*>(conf), words);                                         \
  }

}  // namespace seawall
