// What a client accepts (RFC 9110 12.5.3). Any loop.
#pragma once
#include <string_view>

#include "seawall/http/headers.h"

namespace seawall::compress {

// How much a client likes a content coding, in thousandths: 0 when it does not name it, or forbids it. A quality that is no
// number counts as 0, and "*" says nothing, as in nginx: those who write it seldom know what they ask for.
int quality_of(const Headers& request, std::string_view coding);

}  // namespace seawall::compress
