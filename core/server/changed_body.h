// What the head of a response must say, or no longer say, when a filter changes the bytes of its body. Any loop.
#pragma once
#include "seawall/base/export.h"

namespace seawall {

class Response;

// The bytes are others than those its tag was made for: it becomes weak (RFC 9110 8.8.1), and the body is not cut into ranges,
// whoever has offered that.
SEAWALL_API void body_changes(Response& response);
// Nobody can say any more when the response was changed, and from what: no Last-Modified, no ETag.
SEAWALL_API void forget_version(Response& response);

}  // namespace seawall
