// The server blocks of a configuration, for modules that must see them all, or say something in them that nobody has written: from
// Binder::at_end, when all is bound and inherited, and before servers are made of it. Start-up thread.
#pragma once
#include <chrono>
#include <span>
#include <vector>

#include "seawall/config/binder.h"
#include "seawall/route/listen.h"
#include "seawall/route/server_names.h"
#include "seawall/server/tls_conf.h"

namespace seawall {

class SEAWALL_API ServerBlock {
 public:
  explicit ServerBlock(Settings& settings);
  Settings& settings;
  std::vector<Listen> listens;         // as written, or the one without any
  std::vector<ServerName> names;       // none: the server without a name
  bool has_tls() const;                // one of its addresses is ssl
};

// Those inside a block of http; of a server itself.
SEAWALL_API std::vector<ServerBlock> server_blocks(Settings& settings);

// What the ssl_* directives say in this block; the block's own, to be changed.
SEAWALL_API const TlsConf& tls_conf_of(const Settings& settings);
SEAWALL_API TlsConf& own_tls_conf(Binder& binder, Settings& settings);

// client_header_timeout and send_timeout of this block and those in it, where nobody has written another, for connections without
// TLS.
SEAWALL_API void bound_plain_clients(Binder& binder, Settings& settings, std::chrono::milliseconds at_most);

}  // namespace seawall
