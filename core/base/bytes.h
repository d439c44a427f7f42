// Questions about every byte of a text, by one look-up a byte, or by one word for eight of them: heads are looked through
// again and again only to find that nothing is wrong with them. Pure; any thread.
#pragma once
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace seawall {

// The bytes that a grammar allows somewhere: constexpr ByteSet kHex([](char c) { return is_hex(c); });
class ByteSet {
 public:
  template <class Predicate>
  constexpr explicit ByteSet(Predicate allows) {
    for (unsigned byte = 0; byte < has_.size(); ++byte) has_[byte] = allows(static_cast<char>(byte));
  }
  constexpr bool has(char c) const { return has_[static_cast<unsigned char>(c)]; }
  constexpr bool has_all(std::string_view text) const {
    for (const char c : text)
      if (!has(c)) return false;
    return true;
  }

 private:
  std::array<bool, 256> has_{};
};

// A byte below 0x20 (TAB is one) or 0x7f.
inline bool has_control(std::string_view text) {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kHighs = kOnes * 0x80;
  const auto found = [](std::uint64_t word) {
    const std::uint64_t below_space = (word - kOnes * 0x20) & ~word;
    const std::uint64_t deletes = word ^ kOnes * 0x7f;
    return ((below_space | ((deletes - kOnes) & ~deletes)) & kHighs) != 0;
  };
  std::uint64_t word;
  for (; text.size() >= sizeof word; text.remove_prefix(sizeof word)) {
    std::memcpy(&word, text.data(), sizeof word);
    if (found(word)) return true;
  }
  for (const char c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return true;
  return false;
}

}  // namespace seawall
