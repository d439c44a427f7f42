// Hides the two generations of Catch2: Debian 12 has 2.13, Debian 13 has 3.7. Include it after the server's own headers:
// in a test CHECK is Catch's.
#pragma once
#undef CHECK
#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
namespace Catch::Matchers {
inline auto ContainsSubstring(const std::string& text) { return Contains(text); }
}  // namespace Catch::Matchers
#endif
