// What is counted by name for all generations of the server, and happens at most once a connection or so. prepare_counts() makes
// the tables before the first worker is forked; any thread.
#pragma once
#include "seawall/base/shared_table.h"

namespace seawall {

SharedTable& failure_counts();                    // by server name; Failure's values
SEAWALL_API SharedTable& refusal_counts();        // of connections that were not accepted, by reason ("emfile"); one value
SEAWALL_API SharedTable& renewal_counts();        // of certificate files that changed: "used", "refused"; one value
SEAWALL_API SharedTable& handshake_counts();      // "TLSv1.3 TLS_AES_128_GCM_SHA256"; new ones, resumed ones

}  // namespace seawall
