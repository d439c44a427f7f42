// What the directives of Lua say. World: what is said once for the whole server; Conf: what a block says. Written at start-up, read
// by every loop.
#pragma once
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "chunk.h"
#include "seawall/config/binder.h"

namespace seawall {
class Zone;
class TlsClientContext;
}

namespace seawall::lua {

// Numbers and times of http blocks, and what they run at the start.
class World {
 public:
  ChunkPtr init, init_worker, exit_worker;
  std::string package_path, package_cpath;
  std::string prefix;                       // -p
  const VariableTable* variables = nullptr;
  const Settings* http = nullptr;           // the http block's: what holds where there is no request
  std::map<std::string, Zone*, std::less<>> dicts;
  std::int64_t max_pending_timers = 1024, max_running_timers = 256;
  std::int64_t regex_cache = 1024, regex_match_limit = 0;
  std::int64_t memory_limit = 0;            // of each VM, bytes; 0: none
  std::chrono::milliseconds cpu_budget{10'000};  // of one run; 0: none
  bool jit = true;
  bool sets = false;                        // has a set_by_lua
  bool shakes_hands = false;                // has a hook in handshakes
  std::vector<std::shared_ptr<const void>> kept;  // what variables point at
};

class Conf {
 public:
  std::shared_ptr<World> world;  // of the main block alone

  Setting<ChunkPtr> server_rewrite, rewrite, access, header_filter, body_filter, log, ssl_certificate, ssl_client_hello;
  // Of the block that wrote it: a handler is not inherited.
  ChunkPtr content;
  const Settings* block = nullptr;
  bool sets = false;  // the configuration has a set_by_lua

  Setting<bool> code_cache{true};
  Setting<bool> need_request_body{false};
  Setting<bool> check_client_abort{false};
  Setting<bool> http10_buffering{true};
  Setting<bool> use_default_type{true};
  Setting<bool> transform_underscores{true};
  Setting<bool> rewrite_no_postpone{false}, access_no_postpone{false};
  Setting<bool> log_socket_errors{true};
  Setting<std::chrono::milliseconds> connect_timeout{std::chrono::milliseconds(60000)};
  Setting<std::chrono::milliseconds> send_timeout{std::chrono::milliseconds(60000)};
  Setting<std::chrono::milliseconds> read_timeout{std::chrono::milliseconds(60000)};
  Setting<std::chrono::milliseconds> keepalive_timeout{std::chrono::milliseconds(60000)};
  Setting<std::int64_t> pool_size{30};
  Setting<std::int64_t> buffer_size{4096};
  Setting<std::string> trusted_certificate, crl;
  Setting<std::int64_t> verify_depth{1};
  Setting<std::vector<std::string>> protocols;
  Setting<std::string> ciphers{"DEFAULT"};
  std::shared_ptr<const TlsClientContext> tls;  // made after inheritance
};

// The World of the configuration that `in` is part of. While binding only.
World& world_of(const Invocation& in);


}  // namespace seawall::lua
