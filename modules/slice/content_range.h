// The Content-Range field of a 206 (RFC 9110 14.4). Pure.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace seawall::slice {

class ContentRange {
 public:
  std::uint64_t begin = 0, end = 0;      // end: one past the last byte
  std::optional<std::uint64_t> complete; // the length of the whole; nothing: "*"
};

std::optional<ContentRange> parse_content_range(std::string_view field);

}  // namespace seawall::slice
