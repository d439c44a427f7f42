// Fetches the OCSP responses of ssl_stapling in the background, so that no handshake waits for one. One loop.
#pragma once
#include <memory>
#include <vector>

#include "seawall/async/event.h"
#include "seawall/async/task.h"
#include "seawall/tls/context.h"

namespace seawall {

// Keeps the contexts stapled, until its scope is cancelled; looks at them anew when `renewed` is set.
Task<void> keep_stapled(std::vector<std::shared_ptr<TlsContext>> contexts, Event& renewed);

}  // namespace seawall
