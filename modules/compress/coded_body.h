// A body in a content coding. One loop.
#pragma once
#include "conf.h"

namespace seawall::compress {

// Puts the coded form of the response's body in its place: bytes where all of them can be had at once, else a Reader that
// codes while it is read. False: it is left as it is, because another response is about to make what would be kept of it, slowly.
// Errc::exhausted: no memory; a file's error.
Result<bool> code_body(Exchange& x, Response& response, const Coding& coding, const Conf& conf);

}  // namespace seawall::compress
