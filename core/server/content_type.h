// The content type of what a URI names, by its extension: types, else default_type. Any loop.
#pragma once
#include <string_view>

#include "seawall/base/export.h"

namespace seawall {

class Exchange;

// Of x.uri. The view lives as long as the configuration; empty with `default_type ""`.
SEAWALL_API std::string_view content_type_of(const Exchange& x);

}  // namespace seawall
