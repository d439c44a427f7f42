#include "seawall/server/access_log.h"

#include "seawall/route/plan.h"
#include "seawall/server/exchange.h"

namespace seawall {

void log_exchange(Exchange& x) {
  for (const Plan::BoundLog& log : x.plan().logs) log.run(x, log.conf);
}

}  // namespace seawall
