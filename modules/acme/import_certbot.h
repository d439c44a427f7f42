// `seawall acme import-certbot`: certificates that certbot has got become ours to renew. A command's process. Errors: AcmeError, and
// those of files.
#pragma once
#include <string>

#include "registry.h"

namespace seawall::acme {

int import_certbot(const Registry& registry, const std::string& folder);

}  // namespace seawall::acme
