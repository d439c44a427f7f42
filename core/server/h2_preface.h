// What a client says first on an HTTP/2 connection: 24 bytes (RFC 9113 3.4), and SETTINGS. nginx does without the SETTINGS,
// and so do some clients that were written against it; nghttp2 does not, so it is given empty ones in their place, and what it
// acknowledges them with goes nowhere. One loop.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace seawall {

class H2Preface {
 public:
  // Bytes as they come. What nghttp2 gets once there is enough to tell; nothing before.
  std::optional<std::string> feed(std::string_view bytes);
  bool wrong() const { return wrong_; }         // something else was said
  bool completed() const { return completed_; } // SETTINGS are ours

 private:
  std::string held_;
  bool wrong_ = false, completed_ = false;
};

}  // namespace seawall
