// Until when the next bytes of a request's body must have come, over HTTP/1 and HTTP/2 alike.
#pragma once
#include <cstdint>

#include "seawall/async/deadline.h"

namespace seawall {

class Exchange;

// Between two reads (client_body_timeout); and the average over the time that we waited for the client must stay above
// client_body_min_rate once a grace of 10 s is over (while a handler does not read, a client cannot send); and, where the
// operator says so, the whole (client_body_total_timeout). `started`: ns, of the first wait; `waited`: ns, of all.
Deadline body_deadline(const Exchange& x, std::uint64_t received, std::int64_t started, std::int64_t waited);

}  // namespace seawall
