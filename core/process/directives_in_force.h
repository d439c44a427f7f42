// The directives that hold in a location, each with where it was written: for `seawall explain`. Start-up thread.
#pragma once
#include "seawall/process/configuration.h"
#include "seawall/route/location.h"

namespace seawall {

void print_directives_in_force(const Configuration& conf, const Location& location);

}  // namespace seawall
