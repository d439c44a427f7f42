#include "seawall/server/takeover.h"

#include <utility>

#include "seawall/base/check.h"
#include "seawall/server/exchange.h"
#include "seawall/server/worker_module.h"

namespace seawall {

void take_over(Exchange& x, std::unique_ptr<Tunnel> tunnel) {
  CHECK(!x.parent && !is_taken_over(x));
  x.state<WorkerModule>().tunnel = std::move(tunnel);
}

bool is_taken_over(Exchange& x) { return x.state<WorkerModule>().tunnel != nullptr; }

std::unique_ptr<Tunnel> taken_over(Exchange& x) { return std::move(x.state<WorkerModule>().tunnel); }

}  // namespace seawall
