// The Range field. Input: the body's length, as eight bytes, then the field. Whatever comes, parts lie within the body, and
// several of them are never more than it.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "seawall/server/byte_ranges.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace seawall;
  if (size < 8) return 0;
  std::uint64_t length = 0;
  std::memcpy(&length, data, sizeof length);
  length >>= 1;  // what an off_t holds
  const std::string_view field(reinterpret_cast<const char*>(data) + 8, size - 8);
  const ByteRanges ranges(field, length, 16);
  if (ranges.answer() != ByteRanges::Answer::parts) return 0;
  if (ranges.parts().empty() || ranges.parts().size() > 16) std::abort();
  std::uint64_t total = 0;
  for (const ByteRange& part : ranges.parts()) {
    if (part.begin >= part.end || part.end > length) std::abort();
    total += part.length();
  }
  if (total > length) std::abort();
  return 0;
}
