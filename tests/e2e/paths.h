// Where the build and the sources are: the only place of the tests that depends on it, so that a compiler's cache may be shared.
#pragma once
#include <string>

namespace test {

std::string binary_path();   // of the server, when SEAWALL_BINARY does not name another
std::string modules_path();  // the folder with all modules of the build
std::string probe_path();    // the module for tests
std::string tests_path();    // tests/ of the sources

}  // namespace test
