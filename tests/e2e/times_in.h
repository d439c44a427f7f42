// How often a text has a part in it.
#pragma once
#include <string_view>

namespace test {

inline int times_in(std::string_view text, std::string_view part) {
  int n = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++n;
  return n;
}

}  // namespace test
