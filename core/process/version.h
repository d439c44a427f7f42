// What -v, -V and -h print, to standard error as nginx does. Start-up thread.
#pragma once
#include "seawall/process/options.h"

namespace seawall {

// Our name and version, then the level of nginx's language that is implemented: tools and nginx's test suite read the
// second. With -h the usage, with -V how it was built.
void print_version(const Options& options);

}  // namespace seawall
