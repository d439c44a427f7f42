#include "seawall/server/takeover.h"

#include <utility>

#include "seawall/base/check.h"
#include "seawall/server/exchange.h"
#include "seawall/server/worker_module.h"

namespace seawall {
namespace {

// Tunnels that nobody has asked for yet, of this loop: where there are none, no request needs a look at its state.
thread_local int waiting = 0;

std::unique_ptr<Tunnel>& tunnel_of(Exchange& x) { return x.state<WorkerModule>().tunnel; }

}  // namespace

void take_over(Exchange& x, std::unique_ptr<Tunnel> tunnel) {
  CHECK(!x.parent && !is_taken_over(x));
  tunnel_of(x) = std::move(tunnel);
  ++waiting;
}

bool is_taken_over(Exchange& x) { return waiting > 0 && tunnel_of(x); }

std::unique_ptr<Tunnel> taken_over(Exchange& x) {
  if (!is_taken_over(x)) return nullptr;
  --waiting;
  return std::move(tunnel_of(x));
}

}  // namespace seawall
