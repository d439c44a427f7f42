// respond(): from a parsed request to the response that will be sent. The function a newcomer should read first.
#pragma once
#include "seawall/async/task.h"
#include "seawall/route/step.h"

namespace seawall {

class Exchange;

// Routes the request, runs the steps of its location's plan phase by phase, follows internal redirects and error pages,
// and runs the filters once over the final head. Never throws. `outcome` says where that begins, outlives the task, and has the
// Response at its end, or an Abort: the connection is to be closed without an answer (return 444, abort()).
//   Next: nobody has looked at the request yet.
//   Response(408): it is answered without a handler; error pages of the server and the filters apply, nothing else runs.
//   Internal("@name"): from there on.
Task<void> respond(Exchange& x, Outcome& outcome);

// What answers in the location that x is in, once more: its content phase alone, without error pages and filters. A Response.
Task<void> repeat_content(Exchange& x, Outcome& outcome);

}  // namespace seawall
