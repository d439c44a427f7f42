// The Range field (RFC 9110 14.2) against a body of known length, by nginx's rules. Pure; any thread.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

namespace seawall {

class ByteRange {
 public:
  ByteRange(std::uint64_t begin, std::uint64_t end) : begin(begin), end(end) {}
  std::uint64_t begin, end;  // end: one past the last byte
  std::uint64_t length() const { return end - begin; }
};

// What a Range field comes to: the whole body, a 416, or parts of it.
class ByteRanges {
 public:
  enum class Answer : std::uint8_t { whole, unsatisfiable, parts };
  // `most` is max_ranges: more ranges than that get the whole body, as do ranges that add up to more than the body.
  ByteRanges(std::string_view field, std::uint64_t length, std::int64_t most);

  Answer answer() const { return answer_; }
  const std::vector<ByteRange>& parts() const { return parts_; }

 private:
  Answer parse(std::string_view text, std::int64_t length, std::int64_t most);

  std::vector<ByteRange> parts_;
  Answer answer_;
};

}  // namespace seawall
