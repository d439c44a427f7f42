// A handler or a body under way goes on with the client's connection itself (HTTP/1 only): what is sent from then on is its own to
// frame, and the connection ends with it. It leaves a tunnel here and stops: a handler with Abort, before anything of a response is
// out; a body with Errc::cancelled, behind what it has given so far. Who has a Response with a Tunnel for its body needs none of this.
// One loop.
#pragma once
#include <memory>

#include "seawall/base/export.h"
#include "seawall/http/body.h"

namespace seawall {

class Exchange;

// `x` is no subrequest. Once per request.
SEAWALL_API void take_over(Exchange& x, std::unique_ptr<Tunnel> tunnel);
bool is_taken_over(Exchange& x);
// Whose the connection is now; null: nobody has taken it. Whoever runs handlers asks before the request's work is joined: a tunnel may
// have to spawn its end.
std::unique_ptr<Tunnel> taken_over(Exchange& x);

}  // namespace seawall
