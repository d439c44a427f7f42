// What the server has counted: connections by state, requests, what clients were late for, what went wrong before a handler.
// Any thread.
#pragma once

namespace seawall {

class Gathering;
void collect_server(Gathering& out);

}  // namespace seawall
