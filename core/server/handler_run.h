// Runs a request's handler under handler_timeout: the clock costs nothing until the handler really waits. One loop.
#pragma once
#include <optional>

#include "seawall/async/task.h"
#include "seawall/http/message.h"

namespace seawall {

class Exchange;
class Socket;

// respond(x) in x.scope; when handler_timeout passes before it has an answer, the scope is cancelled and the answer is
// 503 (or what error_page has for it). Time spent waiting for the client's body does not count (Exchange pauses the
// clock). Nothing: no answer is due, as with respond(); x.client_left when the client has closed meanwhile, which its socket tells
// at once, where it is HTTP/1's (else null).
Task<void> run_handler(Exchange& x, std::optional<Response>& response, Socket* client = nullptr);
// The same for another way to a response, which is this task's.
Task<void> run_within_limits(Exchange& x, Task<void> task, std::optional<Response>& response, Socket* client = nullptr);
// The same for a request that is answered with this status, or what error_page runs for it.
Task<void> run_error(Exchange& x, int status, std::optional<Response>& response);

// The response is out: ends what the handler has spawned (an upload may still be reading the body) and lets finish what goes
// on in the background (mirror). Only then may the exchange end.
Task<void> end_work(Exchange& x);

}  // namespace seawall
