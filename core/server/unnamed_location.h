// The blocks inside a location that make another location of it without a name: `if` and `limit_except`. Start-up thread.
#pragma once
#include "seawall/config/directive.h"
#include "seawall/route/location.h"

namespace seawall {

// Binds the block, whose directives are of the kind `where`; owned by the block around it. To be entered (Exchange::enter) by
// whoever opened it: no search finds it. ConfigError: what the block's directives throw.
SEAWALL_API Location& open_unnamed(const Invocation& in, Where where);

}  // namespace seawall
