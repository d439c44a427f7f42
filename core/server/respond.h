// respond(): from a parsed request to the response that will be sent. The function a newcomer should read first.
#pragma once
#include <optional>
#include <string>

#include "seawall/async/task.h"
#include "seawall/http/message.h"

namespace seawall {

class Exchange;

// Routes the request, runs the steps of its location's plan phase by phase, follows internal redirects and error pages,
// and runs the filters once over the final head. Never throws. `response` outlives the task, and has what it is for at its end;
// nothing: the connection is to be closed without an answer (return 444, abort()).
Task<void> respond(Exchange& x, std::optional<Response>& response);

// The same end of the way for a response that no handler made (400, 408, 413 ...): error pages of the server and the
// filters apply, nothing else runs.
Task<void> respond_with(Exchange& x, int status, std::optional<Response>& response);

// From a named location on ("@name").
Task<void> respond_at(Exchange& x, std::string name, std::optional<Response>& response);

// What answers in the location that x is in, once more: its content phase alone, without error pages and filters.
Task<void> repeat_content(Exchange& x, std::optional<Response>& response);

}  // namespace seawall
