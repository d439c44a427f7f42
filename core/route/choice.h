// Why a location was chosen and the others were not, in words: for `seawall routes` and `seawall explain`. Any thread.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "seawall/base/export.h"
#include "seawall/route/locations.h"

namespace seawall {

// "location ~ \.php$"; "(server)" for a server's root, "(if, limit_except)" for a block without a name.
std::string title_of(const Location& location);
// The same with " in FILE:LINE".
SEAWALL_API std::string title_and_place_of(const Location& location);

// The locations beside the chosen one and those it lies in, each with the reason why it does not serve `path`.
std::vector<std::string> not_chosen(const Locations& all, std::string_view path, const Location& chosen);

}  // namespace seawall
