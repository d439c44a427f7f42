// The last lines that this process has written to any error log, for the status page. Off until somebody asks for it; any thread.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "seawall/base/export.h"
#include "seawall/log/log.h"

namespace seawall {

// From now on the last lines of `notice` and above are kept.
SEAWALL_API void keep_recent_lines();
// Without their ends; the oldest first.
SEAWALL_API std::vector<std::string> recent_lines();

bool keeps_lines(Level level);
// Called by log() with each line of text that somebody takes.
void note_line(Level level, std::string_view line);

}  // namespace seawall
