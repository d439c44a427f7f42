#include "murmur.h"

namespace seawall::split_clients {
namespace {

constexpr std::uint32_t kFactor = 0x5bd1e995;

std::uint32_t byte_of(std::string_view text, std::size_t at) { return static_cast<unsigned char>(text[at]); }

// Bytes as a little-endian number, on every machine.
std::uint32_t word_of(std::string_view text) {
  return byte_of(text, 0) | byte_of(text, 1) << 8 | byte_of(text, 2) << 16 | byte_of(text, 3) << 24;
}

}  // namespace

std::uint32_t murmur2(std::string_view text) {
  auto hash = static_cast<std::uint32_t>(text.size());
  for (; text.size() >= 4; text.remove_prefix(4)) {
    std::uint32_t word = word_of(text) * kFactor;
    word ^= word >> 24;
    hash = hash * kFactor ^ word * kFactor;
  }
  for (std::size_t i = text.size(); i-- > 0;) hash ^= byte_of(text, i) << 8 * i;
  if (!text.empty()) hash *= kFactor;
  hash ^= hash >> 13;
  hash *= kFactor;
  return hash ^ hash >> 15;
}

}  // namespace seawall::split_clients
