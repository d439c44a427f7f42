// HeadClock: until when a client must have said what comes first: the PROXY protocol's header, HTTP/2's preface, the head of a
// request; and its place among the unfinished ones of its address (limit_conn_header), which it needs after a second. One loop;
// lives in the Connection, so that what one wait has used up is not there for the next.
#pragma once
#include "seawall/async/deadline.h"
#include "seawall/base/error.h"
#include "seawall/server/header_limit.h"

namespace seawall {

class HeadClock {
 public:
  // Unless it runs already.
  void start(Milliseconds time);
  // All of it is here; the place is given back.
  void stop();
  // Until when to wait now.
  Deadline next() const { return hold_ ? whole_ : whole_.earlier(grace_); }
  // When the time of next() is over: ok where the client may go on, timed_out, or exhausted: its address has too many of them.
  Errc is_over(HeaderLimit& limit, const Address& client);

 private:
  Deadline whole_ = Deadline::never(Wait::header), grace_ = Deadline::never(Wait::header);
  HeaderLimit::Hold hold_;
  bool running_ = false;
};

}  // namespace seawall
