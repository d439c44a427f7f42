// The end of a request: the modules that log it are called. On its loop, once, when the response is out.
#pragma once

namespace seawall {

class Exchange;
void log_exchange(Exchange& x);

}  // namespace seawall
