// SessionCache: TLS sessions by their id, for clients that resume without tickets. A bounded piece of shared memory: the
// loops of a worker, the generations over a reload and a new binary have one; what is oldest goes first, as in nginx. Any thread.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "seawall/base/shared_zone.h"

namespace seawall {

class SEAWALL_API SessionCache {
 public:
  // nginx's bounds: what is longer is not kept.
  static constexpr std::size_t kLongestId = 32, kLongestSession = 4096;

  explicit SessionCache(std::shared_ptr<SharedZone> zone);
  // ssl_session_cache builtin: of one context alone. Start-up thread.
  static std::shared_ptr<SessionCache> own(std::size_t bytes);
  // ssl_session_cache shared:NAME:SIZE: one for all who ask for the same, as long as one of them has it. Start-up thread.
  static std::shared_ptr<SessionCache> shared(const std::string& name, std::size_t bytes);

  // Times are seconds of one clock that all processes share.
  void put(std::string_view id, std::string_view session, std::int64_t expires, std::int64_t now);
  std::string get(std::string_view id, std::int64_t now);  // empty: none
  void remove(std::string_view id);

 private:
  class Ring;
  const std::shared_ptr<SharedZone> zone_;
};

}  // namespace seawall
