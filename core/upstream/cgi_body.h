// The body of a CGI response, whose length its head may have said: no more than that is passed on, and less is a failure. One loop.
#pragma once
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "seawall/upstream/protocol.h"

namespace seawall {

class CgiBody {
 public:
  // `nobody`: a response without a body, whatever comes (HEAD, 204, 304).
  void begin(const UpstreamHead& head, bool nobody) {
    left_ = nobody ? std::optional<std::uint64_t>(0) : head.length;
    extra_ = false;
  }
  // How many of the next `size` bytes are the body's.
  std::size_t take(std::size_t size) {
    if (!left_) return size;
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(*left_, size));
    extra_ = extra_ || n < size;
    *left_ -= n;
    return n;
  }
  bool is_whole() const { return !left_ || *left_ == 0; }    // may it end here?
  bool is_over() const { return left_ && *left_ == 0; }      // must it?
  bool had_extra() const { return extra_; }

 private:
  std::optional<std::uint64_t> left_;
  bool extra_ = false;
};

}  // namespace seawall
