// PhaseWalk: a request's way through its phases, from the server's own to the content of the location that is found between them. One
// loop; no coroutine: who walks waits where a step has to, as with PhaseRun.
#pragma once
#include "seawall/server/phases.h"

namespace seawall {

// nginx's bound on rewrites and internal redirects of one request.
inline constexpr int kMaxHops = 10;

class PhaseWalk {
 public:
  // `outcome` is what the request comes to, and outlives this.
  PhaseWalk(Exchange& x, Outcome& outcome) : x_(x), outcome_(outcome), run_(x, outcome) {}
  // From the server's own phases on, as a request that has just come.
  void begin();
  // From the location on that x has been brought to by its name.
  void begin_named();
  // As far as it goes without waiting. True: `outcome` is an answer; false: rest() is to be awaited, and then this.
  bool advance();
  Rest& rest() { return run_.rest(); }

 private:
  void begin(Phase phase, Phase last);
  bool go_on();
  bool search();
  Exchange& x_;
  Outcome& outcome_;
  PhaseRun run_;
  int searches_ = 0;
};

}  // namespace seawall
