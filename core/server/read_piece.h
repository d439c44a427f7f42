// The body that a handler makes while it is sent, piece by piece, under the request's deadlines. One loop.
#pragma once
#include "seawall/async/task.h"
#include "seawall/http/message.h"

namespace seawall {

class Exchange;
class LoopServer;

// The next piece, within the handler's time as long as nothing is out, and request_max_time after that. `working` is the
// scope in which it is made, meanwhile: who cancels that ends it. Errors are logged, but for those that the reader returns:
// truncated (out of time, an exception: what is half out cannot become a 500), peer_closed (the client has left).
Task<Result<Piece>> read_piece(LoopServer& server, Exchange& x, Reader& reader, Scope*& working);

}  // namespace seawall
