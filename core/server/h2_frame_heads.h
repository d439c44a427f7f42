// The heads of frames in a stream of bytes that comes in any pieces. nghttp2 says nothing of the frames that it ignores, and
// those count, too. One loop.
//
//   std::size_t at = 0;
//   while (const auto head = heads.next(bytes, at)) ...;   // `at` is behind that head
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace seawall {

class H2FrameHead {
 public:
  std::uint32_t length;
  std::uint8_t type, flags;
  std::int32_t stream;
};

class H2FrameHeads {
 public:
  // The next head that ends in `bytes`, from `at` on.
  std::optional<H2FrameHead> next(std::string_view bytes, std::size_t& at) {
    const std::size_t skipped = std::min<std::size_t>(payload_, bytes.size() - at);
    payload_ -= static_cast<std::uint32_t>(skipped);
    at += skipped;
    const std::size_t n = std::min(kSize - held_, bytes.size() - at);
    std::memcpy(head_ + held_, bytes.data() + at, n);
    held_ += n;
    at += n;
    if (held_ < kSize) return std::nullopt;
    held_ = 0;
    payload_ = number(0, 3);
    type_ = head_[3];
    flags_ = head_[4];
    return H2FrameHead{payload_, type_, flags_, static_cast<std::int32_t>(number(5, 4) & 0x7fffffff)};
  }
  // The last frame has come whole, and ends a header block: HEADERS or CONTINUATION with END_HEADERS.
  bool ended_block() const { return payload_ == 0 && (type_ == 1 || type_ == 9) && (flags_ & 4); }

 private:
  static constexpr std::size_t kSize = 9;
  std::uint32_t number(std::size_t from, int bytes) const {
    std::uint32_t n = 0;
    for (int i = 0; i < bytes; ++i) n = n << 8 | head_[from + static_cast<std::size_t>(i)];
    return n;
  }
  std::uint8_t head_[kSize];
  std::size_t held_ = 0;        // of the present head
  std::uint32_t payload_ = 0;   // of the present frame, still to come
  std::uint8_t type_ = 0, flags_ = 0;
};

}  // namespace seawall
