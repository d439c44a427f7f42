// The priority of a response as RFC 9218 lets a client say it: u=0..7 and i. Other parameters and what is malformed are
// ignored (RFC 8941 says: as a whole). One loop.
#pragma once
#include <cstdint>
#include <string_view>

struct nghttp2_session;

namespace seawall {

class H2Priority {
 public:
  // The value of a Priority field.
  explicit H2Priority(std::string_view field);
  bool said() const { return said_; }
  std::uint32_t urgency() const { return urgency_; }
  bool incremental() const { return incremental_; }

 private:
  void read(std::string_view parameter);
  std::uint32_t urgency_ = 3;
  bool incremental_ = false;
  bool said_ = false;
};

// `extensible`: the client has given up RFC 7540's tree of weights (SETTINGS_NO_RFC7540_PRIORITIES), so urgencies are strict;
// a PRIORITY_UPDATE that comes later may change them. With others urgencies become weights, a factor of two apart.
void set_priority(nghttp2_session* session, std::int32_t stream, const H2Priority& priority, bool extensible);

}  // namespace seawall
