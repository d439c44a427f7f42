// What a response's fields say about keeping it (RFC 9111 as far as nginx, and X-Accel-Expires), and which requests get the same response
// (Vary). Pure; any thread.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "seawall/base/export.h"
#include "seawall/cache/cache_hash.h"
#include "seawall/http/headers.h"

namespace seawall {

class SEAWALL_API Freshness {
 public:
  Freshness() = default;
  // `ignored`: bits of the namespace ignored. `now`: seconds since 1970.
  Freshness(const Headers& headers, unsigned ignored, std::int64_t now);

  // The fields do not forbid that it is kept.
  bool may_be_kept() const { return !forbidden_ && !no_cache_ && !expired_; }
  std::int64_t valid_until = 0;    // 0: they do not say
  std::int64_t while_updating = 0; // s after that: stale-while-revalidate
  std::int64_t on_error = 0;       // stale-if-error
  std::string vary;

 private:
  void take_accel(std::string_view value, std::int64_t now);
  void take_expires(const Headers& headers, std::int64_t now);
  void take_cache_control(const std::string& value, std::int64_t now);
  void take_vary(std::string_view value);
  std::int64_t age_ = 0;           // that it had when it came
  bool forbidden_ = false, no_cache_ = false, expired_ = false, has_accel_ = false;
};

// Seconds, as the field Age says them; 0 where it says none.
SEAWALL_API std::int64_t age_in(std::string_view value);

// Requests with the same one get the same of the responses under `main`.
SEAWALL_API CacheHash variant_of(const CacheHash& main, std::string_view vary, const Headers& request);

// proxy_cache_max_range_offset: does the range begin behind it, or nobody knows where?
SEAWALL_API bool begins_behind(std::string_view range, std::int64_t offset);

}  // namespace seawall
