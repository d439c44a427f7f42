// php_fastcgi ADDRESS: PHP behind FastCGI without the usual lines about try_files, PATH_INFO and SCRIPT_FILENAME, of which the wrong
// ones let an uploaded picture run. One loop.
#pragma once
#include <optional>

#include "conf.h"

namespace seawall::fastcgi {

// Finds the program of a request, into its state. Nothing: there is one. Else what is to be done: Next for files and folders that are
// nobody's program, or an answer.
std::optional<Outcome> find_php(Exchange& x);
// What every PHP program needs to know.
std::vector<Param> php_params(const Invocation& in);

}  // namespace seawall::fastcgi
