// The directive table of a module's README, from its descriptor.
#pragma once
#include <string>

namespace seawall {

// Prints it as Markdown to standard output; false (and a message) when no module has that name.
bool print_directive_table(const std::string& module);

}  // namespace seawall
