// What start-up has to say: to the error log and, as long as somebody looks on, to standard error, as nginx does. Before any
// thread.
#pragma once
#include <string>

#include "seawall/log/log.h"

namespace seawall {

// Standard error gets warnings and worse, unless the log goes there already.
void say(Level level, const std::string& text);
// From here on only the log: the server has started.
void stop_saying();

}  // namespace seawall
