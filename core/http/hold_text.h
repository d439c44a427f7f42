// A request's head that lasts longer than the reading of it. Any thread.
#pragma once
#include "seawall/http/message.h"

namespace seawall {

// Moves the head's text out of the block that it was read into, which may be much larger. Views of it that others hold end.
SEAWALL_API void hold_text_alone(RequestHead& head);

}  // namespace seawall
