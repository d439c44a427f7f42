// Range requests (RFC 9110 14): the core's filter that cuts bodies of known length. Any loop.
#pragma once
#include "seawall/base/result.h"

namespace seawall {

class CoreConf;
class Exchange;
class Response;

Result<void> filter_range(Exchange& x, Response& response, const CoreConf& core);

}  // namespace seawall
