// Where the parts of this installation are, found from the program's own place: an installed tree may be moved.
#pragma once
#include <string>

namespace seawall {

// The .so files and modules.index: beside the program in a build tree, else in the library directory.
std::string module_directory();

// The prefix when -p gives none: where nginx.conf and html are. Ends with '/'.
std::string default_prefix();

}  // namespace seawall
