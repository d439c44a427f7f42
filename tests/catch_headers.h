// Hides the two generations of Catch2 (Debian 12 has 2.13, Debian 13 has 3.7) and leaves CHECK to the server's own headers, whether
// they come before or after it. Precompiled; tests include catch.h.
#pragma once
#include <string>

#include "seawall/base/check.h"

#pragma push_macro("CHECK")
#undef CHECK
#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
namespace Catch::Matchers {
inline auto ContainsSubstring(const std::string& text) { return Contains(text); }
}  // namespace Catch::Matchers
#endif
#undef CHECK
#pragma pop_macro("CHECK")
