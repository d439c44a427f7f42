// The PROXY protocol at the start of a connection, versions 1 and 2: who the client behind the proxy is. One loop.
#pragma once
#include "seawall/async/task.h"

namespace seawall {

class Connection;

// Reads the header within client_header_timeout and stores what it says. False: broken or missing, the connection ends.
Task<bool> read_proxy_protocol(Connection& c);

}  // namespace seawall
