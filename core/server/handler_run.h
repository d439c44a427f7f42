// Runs a request's handler under handler_timeout: the clock costs nothing until the handler really waits. One loop.
#pragma once
#include "seawall/async/task.h"
#include "seawall/route/step.h"

namespace seawall {

class Exchange;
class Socket;

// respond(x, outcome) in x.scope; when handler_timeout passes before it has an answer, the scope is cancelled and the answer is
// 503 (or what error_page has for it). Time spent waiting for the client's body does not count (Exchange pauses the
// clock). An Abort: no answer is due, as with respond(); x.client_left when the client has closed meanwhile, which its socket tells
// at once, where it is HTTP/1's (else null).
Task<void> run_handler(Exchange& x, Outcome& outcome, Socket* client = nullptr);

// The response is out: ends what the handler has spawned (an upload may still be reading the body) and lets finish what goes
// on in the background (mirror). Only then may the exchange end.
Task<void> end_work(Exchange& x);

}  // namespace seawall
