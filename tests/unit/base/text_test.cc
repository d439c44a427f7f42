#include "seawall/base/text.h"

#include <string>

#include "catch.h"

using seawall::equals_ignoring_case;
using seawall::to_lower;

TEST_CASE("text: what differs in capitals is equal, at every place and length") {
  for (std::size_t length = 1; length <= 20; ++length)
    for (std::size_t at = 0; at < length; ++at)
      for (int a = 0; a < 256; ++a)
        for (const int b : {a, a ^ 0x20, a ^ 0x80, a + 1}) {
          std::string left(length, 'x'), right(length, 'X');
          left[at] = static_cast<char>(a);
          right[at] = static_cast<char>(b);
          if (equals_ignoring_case(left, right) != (to_lower(left[at]) == to_lower(right[at]))) FAIL(length << " " << at << " " << a << " " << b);
        }
  CHECK(equals_ignoring_case("", ""));
  CHECK_FALSE(equals_ignoring_case("content-type", "content-typ"));
}
