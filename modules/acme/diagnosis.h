// `seawall acme test`: what keeps a certificate from coming, each in a sentence with what to do. In a process of its own; may
// wait.
#pragma once
#include <string>
#include <vector>

#include "registry.h"

namespace seawall::acme {

// Empty: nothing was found.
std::vector<std::string> diagnose(const Registry& registry, const Certificate& certificate);

}  // namespace seawall::acme
