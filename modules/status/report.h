// The state of the server as JSON, version 1: README.md has its fields. Any thread.
#pragma once
#include <string>

namespace seawall::status {

std::string report();

}  // namespace seawall::status
