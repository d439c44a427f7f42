// The http2_* settings of http, server and location. Start-up thread; read by every loop.
#pragma once
#include <cstdint>

#include "seawall/config/setting.h"

namespace seawall {

class Http2Conf {
 public:
  Setting<bool> on{true};                       // unset: on over TLS, off on plain ports
  Setting<std::int64_t> max_concurrent_streams{128};
  Setting<std::int64_t> chunk_size{16 * 1024};
  Setting<std::int64_t> body_preread_size{64 * 1024};
};

}  // namespace seawall
