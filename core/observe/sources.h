// Who says something of the server in numbers: the core, and each module that has a collect function. Set when a process takes a
// configuration (Configuration::adopt), before its loops run; any thread asks.
#pragma once
#include <functional>
#include <vector>

#include "seawall/base/export.h"
#include "seawall/observe/gathering.h"

namespace seawall {

using Collect = std::function<void(Gathering&)>;
void set_sources(std::vector<Collect> sources);

// What all of them say now.
SEAWALL_API Gathering gather();

}  // namespace seawall
