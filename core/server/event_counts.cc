#include "seawall/server/event_counts.h"

#include "seawall/server/failures.h"

namespace seawall {

SharedTable& failure_counts() {
  static SharedTable table(1000, kFailures);
  return table;
}

SharedTable& refusal_counts() {
  static SharedTable table(16, 1);
  return table;
}

SharedTable& renewal_counts() {
  static SharedTable table(2, 1);
  return table;
}

SharedTable& handshake_counts() {
  static SharedTable table(64, 2);
  return table;
}

}  // namespace seawall
