// "did you mean": the known name nearest to a mistyped one. Start-up thread.
#pragma once
#include <span>
#include <string>
#include <string_view>

namespace seawall {

// Empty when nothing is near enough.
std::string nearest_name(std::string_view name, std::span<const std::string_view> known);

}  // namespace seawall
