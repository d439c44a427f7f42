// What the program can tell about its directives: the table of a module's README, from its descriptor, and what it refuses.
#pragma once
#include <string>

namespace seawall {

// Each prints to standard output; false (and a message) when it cannot.
bool print_directive_table(const std::string& module);  // as Markdown
bool print_module_names();                              // one a line, with what it does
bool print_refused_names();                             // what nginx knows and nobody here does yet, one a line

}  // namespace seawall
