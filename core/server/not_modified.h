// Conditional requests (RFC 9110 13): the core's filter that answers 304 or 412 in a response's place. Any loop.
#pragma once
#include <string_view>

#include "seawall/base/result.h"

namespace seawall {

class CoreConf;
class Exchange;
class Response;

Result<void> filter_not_modified(Exchange& x, Response& response, const CoreConf& core);

// Does an If-Match or If-None-Match list hold this entity tag? `weak`: W/ does not count. As in nginx the comparison that
// is not weak takes tags for equal when their text is, W/ included.
bool list_has_etag(std::string_view list, std::string_view etag, bool weak);

}  // namespace seawall
