// Which streams of a connection have been: what comes for one that is closed is an error of the client (RFC 9113 5.1), but
// for frames that crossed a reset of ours. nghttp2 would have to keep closed streams to know. One loop.
#pragma once
#include <array>
#include <cstdint>

namespace seawall {

class H2StreamIds {
 public:
  void opened(std::int32_t id) {
    const std::int32_t step = (id - last_) / 2;
    recent_ = step < 64 ? recent_ << step | 1 : 1;
    last_ = id;
  }
  // We have reset it, and the client may not know yet.
  void reset(std::int32_t id) { reset_[next_++ % reset_.size()] = id; }

  bool is_new(std::int32_t id) const { return id > last_; }
  bool was_reset(std::int32_t id) const {
    for (const std::int32_t known : reset_)
      if (known == id) return true;
    return false;
  }
  // False for one that was passed over (RFC 9113 5.1.1); those before the last 64 are taken for opened.
  bool was_opened(std::int32_t id) const {
    const std::int32_t back = (last_ - id) / 2;
    return back >= 64 || (recent_ >> back & 1);
  }

 private:
  std::int32_t last_ = -1;     // the newest; so that the first, 1, is a step of one
  std::uint64_t recent_ = 0;   // bit n: the one 2n before it has been opened
  std::array<std::int32_t, 64> reset_{};
  std::uint32_t next_ = 0;
};

}  // namespace seawall
