// Does the client ask for a WebSocket, which HTTP/1 can pass on? Any thread.
#pragma once
#include "seawall/base/export.h"

namespace seawall {

class Exchange;

SEAWALL_API bool asks_for_websocket(const Exchange& x);

}  // namespace seawall
