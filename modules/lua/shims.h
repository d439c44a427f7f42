// The Lua half of the API, embedded by the build: shims/NAME.lua. Any thread.
#pragma once
#include <span>
#include <string_view>

namespace seawall::lua {

class Shim {
 public:
  std::string_view name, text;
};
std::span<const Shim> shims();

}  // namespace seawall::lua
