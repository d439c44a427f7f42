// Cookies of a request. Any thread.
#pragma once
#include <optional>
#include <string_view>

#include "seawall/base/export.h"

namespace seawall {

class Headers;

// The value of the first cookie of that name in all Cookie fields, as nginx finds it: names ignore case, ',' separates like ';'
// before a name, and a value ends at ';' alone.
SEAWALL_API std::optional<std::string_view> find_cookie(const Headers& request, std::string_view name);

}  // namespace seawall
