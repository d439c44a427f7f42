#include "seawall/base/bytes.h"

#include <string>

#include "catch.h"

using seawall::ByteSet;
using seawall::has_control;

TEST_CASE("a byte set has what its predicate allows") {
  constexpr ByteSet digits([](char c) { return c >= '0' && c <= '9'; });
  static_assert(digits.has('0') && !digits.has('a') && !digits.has('\0') && !digits.has('\xff'));
  CHECK(digits.has_all(""));
  CHECK(digits.has_all("0123456789"));
  CHECK(!digits.has_all("12 3"));
}

TEST_CASE("a control byte is found wherever it stands, and nothing else is one") {
  for (int byte = 0; byte < 256; ++byte) {
    const bool control = byte < 0x20 || byte == 0x7f;
    for (std::size_t size = 1; size <= 20; ++size)
      for (std::size_t at = 0; at < size; ++at) {
        std::string text(size, byte % 2 == 0 ? ' ' : '\xff');
        text[at] = static_cast<char>(byte);
        if (has_control(text) != control) FAIL("byte " << byte << " at " << at << " of " << size);
      }
  }
  CHECK(!has_control(""));
}
