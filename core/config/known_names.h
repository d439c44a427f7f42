// Names of directives that nginx, OpenResty and modules in wide use know and that no table of ours has (yet). Start-up
// thread.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace seawall {

struct KnownName {
  enum State : std::uint8_t {
    unbuilt,      // refused by name: "x" directive is not supported yet
    deferred,     // accepted with a warning until it is built: decoration, or settings of something that is refused
    meaningless,  // accepted; there is nothing here that it could tune
  };
  std::string_view name;
  State state;
};

// Null for a name nobody knows.
const KnownName* find_known_name(std::string_view name);

std::span<const KnownName> known_names();  // sorted by name

// A variable of a module that is refused, or of a directive that is.
bool is_unbuilt_variable(std::string_view name);

}  // namespace seawall
