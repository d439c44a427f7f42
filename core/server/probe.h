// Probe: a connection that the server has made to itself, over a socket pair: a new worker's look at its own servers
// (process/self_probe.h), or `seawall explain`. It is not logged. Or a client's request that is to be explained. One loop.
//
//   tell(x, [&] { return "try_files: \"" + path + "\" is not there"; });
#pragma once
#include <string>
#include <vector>

#include "seawall/net/address.h"
#include "seawall/server/exchange.h"

namespace seawall {

class Endpoint;

// What was decided about a request, in the order decided, in words.
class Trace {
 public:
  std::vector<std::string> lines;
  const Location* location = nullptr;  // whose settings the response was made under
  bool is_unasked = false;             // the last request was to be answered by somebody who was not asked
};

class Probe {
 public:
  explicit Probe(const Endpoint& endpoint) : endpoint(&endpoint) {}
  const Endpoint* endpoint;  // to which it has come
  Address from;              // whose request it is to be; empty: nobody's
  // Who wants to know; null: nobody. With one, handlers that would ask somebody else (an upstream) are named, not run.
  Trace* trace = nullptr;
  bool is_live = false;      // the request is a client's all the same (explain_token): it is logged as any
};

// The words are made only when somebody wants them.
template <class Words>
void tell(const Exchange& x, Words&& words) {
  if (x.connection.probe && x.connection.probe->trace) x.connection.probe->trace->lines.push_back(words());
}

}  // namespace seawall
