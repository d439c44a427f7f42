// A variable that is asked once a request and keeps its value to the end of it ($request_id). Start-up thread; the value is
// the exchange's.
#pragma once
#include "seawall/config/variable.h"

namespace seawall {

// The variable of a row with `cached`; the row outlives the configuration.
Variable cached_variable(const VariableRow& row);

}  // namespace seawall
