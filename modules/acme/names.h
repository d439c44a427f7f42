// Names that a certificate can have. Start-up thread; errors: ConfigError.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "seawall/server/server_blocks.h"

namespace seawall::acme {

bool is_host(std::string_view name);    // or a wildcard of one
bool is_public(std::string_view name);  // a public CA may know it
// In lower case, sorted, each once; as many as a certificate may have.
std::vector<std::string> finished(std::vector<std::string> names);
// Those of its server_name that a certificate can have: ".a.b" is two of them.
std::vector<std::string> names_of(const ServerBlock& server);

}  // namespace seawall::acme
