// WebSocket over HTTP/2 (RFC 8441): a CONNECT with :protocol is shown to handlers as HTTP/1.1 would ask for it, and their 101 with
// a tunnel is a 200 whose DATA is the tunnel's bytes. A tunnel is written against a Stream with a socket, so it gets one end of a
// socket pair, and the stream's task moves bytes between the other and DATA. One loop.
#pragma once
#include "seawall/async/task.h"
#include "seawall/http/message.h"

namespace seawall {

class Exchange;
class H2Connection;
class H2Stream;

// Upgrade, Connection and a key of our own, of a head whose `tunnel` is set.
void ask_for_websocket(RequestHead& head);
// 0 when the response may answer such a request, else the status to answer with instead: what is no tunnel must not be a 2xx, which
// would mean one; and a 101 must prove that it has understood what was asked for.
int tunnel_refused(const Exchange& x, const Response& response);
// Head and bytes, until both ends have ended. True: END_STREAM is out.
Task<bool> run_h2_tunnel(H2Connection& h, H2Stream& s, Exchange& x, Response& response);

}  // namespace seawall
