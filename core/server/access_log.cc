#include "seawall/server/access_log.h"

#include <exception>
#include <string>

#include "seawall/route/plan.h"
#include "seawall/server/exchange.h"
#include "seawall/server/probe.h"

namespace seawall {

void log_exchange(Exchange& x) {
  if (x.connection.probe && !x.connection.probe->is_live) return;
  for (const Plan::BoundLog& log : x.plan().logs) {
    try {
      log.run(x, log.conf);
    } catch (const std::exception& e) {
      x.log(Level::error, std::string("a module threw an exception while logging: ") + e.what());
    }
  }
}

}  // namespace seawall
