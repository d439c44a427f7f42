// Connecting to a peer without blocking. The descriptor is made first, so that the caller chooses what stream stands on it.
// One loop.
//
//   Result<Fd> fd = start_connecting(address, options);
//   Stream stream(std::move(*fd));
//   Result<void> done = co_await connected(stream, Deadline::in(timeout, Wait::connect));
#pragma once
#include "seawall/async/task.h"
#include "seawall/base/fd.h"
#include "seawall/base/result.h"
#include "seawall/net/address.h"
#include "seawall/net/stream.h"

namespace seawall {

class DialOptions {
 public:
  Address from;              // our end; empty: the system's choice
  bool transparent = false;  // `from` need not be ours (IP_TRANSPARENT)
  bool keepalive = false;    // SO_KEEPALIVE
  int receive_buffer = 0, send_buffer = 0;  // bytes; 0: the system's
};

// A socket on its way to `to` (or there already). Errors: errno of socket(), bind() and connect().
SEAWALL_API Result<Fd> start_connecting(const Address& to, const DialOptions& options);
// Ends when it is there. Errors: errno of connect(); timed_out, cancelled.
SEAWALL_API Task<Result<void>> connected(Stream& stream, Deadline deadline);

}  // namespace seawall
