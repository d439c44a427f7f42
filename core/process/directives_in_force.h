// The directives that hold in a location, a line each with where it was written: for explanations (server/explanation.h). Any
// thread: everything that the configuration names has been loaded.
#pragma once
#include <string>

#include "seawall/process/configuration.h"
#include "seawall/route/location.h"

namespace seawall {

std::string directives_in_force(const Configuration& conf, const Location& location);

}  // namespace seawall
