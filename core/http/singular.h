// Fields that a request may have once at most, because two would contradict each other; nginx's list. RFC 9110 5.3.
#pragma once
#include "seawall/http/headers.h"

namespace seawall {

// Is one of them there twice?
bool repeats_singular(const Headers& request);

}  // namespace seawall
