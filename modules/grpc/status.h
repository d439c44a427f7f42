// What a gRPC client is told of an error that this server has made itself. One loop.
#pragma once
#include "conf.h"

namespace seawall::grpc {

// A filter: a response with an error status that no upstream has sent, to a client that has sent application/grpc, says its grpc-status
// in place of a page. Its HTTP status stays: logs and error_page go by that.
Result<void> tell_status(Exchange& x, Response& response, const Conf& conf);

}  // namespace seawall::grpc
