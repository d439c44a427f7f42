// Sends one response over HTTP/1: head and body in as few calls as the body's kind allows. One loop.
#pragma once
#include "seawall/async/task.h"
#include "seawall/http/message.h"

namespace seawall {

class Connection;
class Exchange;

// True when all of it is with the kernel (or the TLS layer's last flush). False: the connection is broken or too slow and
// must be closed. Keeps x.status, x.bytes_sent and x.body_bytes_sent; x.keep_alive says what Connection announces.
Task<bool> write_h1(Connection& c, Exchange& x, Response& response);

}  // namespace seawall
