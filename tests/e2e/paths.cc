#include "e2e/paths.h"

namespace test {

std::string binary_path() { return SEAWALL_BINARY_PATH; }
std::string modules_path() { return SEAWALL_MODULES_PATH; }
std::string probe_path() { return SEAWALL_PROBE_PATH; }
std::string tests_path() { return SEAWALL_TESTS_PATH; }

}  // namespace test
