// Eight letters at once: names of fields are compared all the time. Pure; any thread.
#pragma once
#include <cstdint>
#include <cstring>

namespace seawall {

// The eight bytes at `text`, capital letters as small ones. Bytes beyond ASCII stay what they are.
inline std::uint64_t lower_word(const char* text) {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kHighs = kOnes * 0x80;
  std::uint64_t word;
  std::memcpy(&word, text, sizeof word);
  const std::uint64_t ascii = word & ~kHighs;
  const std::uint64_t from_a = ascii + kOnes * (0x80 - 'A'), beyond_z = ascii + kOnes * (0x7f - 'Z');
  return word | ((from_a & ~beyond_z & ~word & kHighs) >> 2);
}

}  // namespace seawall
