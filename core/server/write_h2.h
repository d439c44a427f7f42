// Sends one response over HTTP/2: the head and what there is of the body are handed to nghttp2, which asks for bytes as the
// client's windows allow. One loop.
#pragma once
#include <cstdint>

#include "seawall/async/task.h"
#include "seawall/http/message.h"

namespace seawall {

class Exchange;
class H2Connection;
class H2Stream;

// The head is handed to nghttp2; what follows it: nothing (END_STREAM), the output, or trailers alone.
enum class H2Followed : std::uint8_t { nothing, output, trailers };
void submit_h2_head(H2Connection& h, H2Stream& s, Exchange& x, const Response& response, H2Followed by);
// There is something in the output again.
void resume_h2_output(H2Connection& h, H2Stream& s);

// True when all of it is on its way, END_STREAM included. False: the stream is to be reset. Keeps x.status, x.bytes_sent
// and x.body_bytes_sent. Waits within send_timeout, send_min_rate and request_max_time, time without a window included.
Task<bool> write_h2(H2Connection& h, H2Stream& s, Exchange& x, Response& response);

}  // namespace seawall
