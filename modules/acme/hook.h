// The program that changes the DNS for dns-01: PROGRAM add|remove _acme-challenge.NAME VALUE. A thread that may wait.
#pragma once
#include <chrono>
#include <string>

#include "stop.h"

namespace seawall::acme {

// Until it has ended well. AcmeError: it has not, with the last line that it said; or not within two minutes, then it is killed, with
// what it has started. Stopped: likewise, `grace` after the stop.
void run_hook(const std::string& program, const std::string& action, const std::string& record, const std::string& value,
              Stop& stop, std::chrono::milliseconds grace = {});

}  // namespace seawall::acme
