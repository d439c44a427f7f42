// seawall tls-check: what an auditor would find at the TLS servers of a configuration, by handshakes in memory, and a grade.
#pragma once
#include <string>

#include "seawall/process/options.h"

namespace seawall {

// Prints the servers that have this name (empty: all) with their grades. `authorities`: a PEM file to trust besides the
// system's. False: one is below A, or there is none.
bool check_tls(const Options& options, const std::string& host, const std::string& authorities);

}  // namespace seawall
