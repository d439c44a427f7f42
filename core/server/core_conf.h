// The core's own settings: what nginx's core http module knows in http, server and location. The table that fills them is
// core_directives.cc. Written at start-up, read by every loop.
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "seawall/config/setting.h"
#include "seawall/config/template.h"
#include "seawall/log/log.h"
#include "seawall/server/root.h"

namespace seawall {

using std::chrono::milliseconds;

// error_page CODE ... [=[STATUS]] URI;
class ErrorPage {
 public:
  int code = 0;         // the status it is for
  int status = -1;      // =200: the answer's status; 0 for a bare "=": that of what is answered; -1: the code itself
  Template to;          // a URI, @name, or an absolute URL (redirect)
  bool has_args = false;
};

enum class ServerTokens : std::uint8_t { on, off, build };
enum class Satisfy : std::uint8_t { all, any };
enum class IfModifiedSince : std::uint8_t { off, exact, before };
enum class BodyInFile : std::uint8_t { off, on, clean };
enum class LingeringClose : std::uint8_t { off, on, always };

using MimeTypes = std::unordered_map<std::string, std::string>;  // extension, lower case -> type

// keepalive_timeout TIME [HEADER]; header 0: none is sent.
class KeepaliveTimeout {
 public:
  milliseconds timeout{75'000};
  milliseconds header{0};
};

// keepalive_disable: browsers that get no keep-alive.
class KeepaliveDisable {
 public:
  bool msie6 = true, safari = false;
};

class LargeBuffers {
 public:
  std::int64_t number = 4, size = 8192;
};

class CoreConf {
 public:
  // Deadlines (INTERNET.md has the defaults and their reasons).
  Setting<milliseconds> client_header_timeout{milliseconds(10'000)};
  Setting<milliseconds> client_body_timeout{milliseconds(60'000)};
  Setting<milliseconds> client_body_total_timeout{milliseconds(0)};
  Setting<std::int64_t> client_body_min_rate{512};
  Setting<milliseconds> handler_timeout{milliseconds(60'000)};
  Setting<milliseconds> send_timeout{milliseconds(60'000)};
  Setting<std::int64_t> send_min_rate{256};
  Setting<milliseconds> request_max_time{milliseconds(24 * 3600 * 1000)};
  Setting<KeepaliveTimeout> keepalive_timeout;
  Setting<milliseconds> keepalive_min_timeout{milliseconds(5'000)};
  Setting<milliseconds> keepalive_time{milliseconds(3600 * 1000)};
  Setting<milliseconds> lingering_time{milliseconds(30'000)};
  Setting<milliseconds> lingering_timeout{milliseconds(5'000)};
  Setting<LingeringClose> lingering_close{LingeringClose::on};
  Setting<bool> reset_timedout_connection{false};
  // No directive's: the most of client_header_timeout and send_timeout over connections without TLS, where nobody has written them
  // (server_blocks.h).
  std::optional<milliseconds> plain_patience;

  // Requests.
  Setting<std::int64_t> client_header_buffer_size{1024};
  Setting<LargeBuffers> large_client_header_buffers;
  Setting<std::int64_t> max_headers{1000};
  Setting<std::int64_t> client_max_body_size{1 << 20};
  Setting<std::int64_t> client_body_buffer_size{16 * 1024};
  Setting<BodyInFile> client_body_in_file_only{BodyInFile::off};
  Setting<std::string> client_body_temp_path{std::string()};  // a whole path, once bound
  Setting<std::int64_t> keepalive_requests{1000};
  Setting<KeepaliveDisable> keepalive_disable;
  Setting<bool> ignore_invalid_headers{true};
  Setting<bool> underscores_in_headers{false};
  Setting<bool> merge_slashes{true};
  Setting<Satisfy> satisfy{Satisfy::all};
  Setting<milliseconds> auth_delay{milliseconds(0)};
  Setting<bool> internal{false};

  // Responses.
  Setting<ServerTokens> server_tokens{ServerTokens::on};
  Setting<std::shared_ptr<const MimeTypes>> types;
  Setting<std::string> default_type{"text/plain"};
  Setting<IfModifiedSince> if_modified_since{IfModifiedSince::exact};
  Setting<std::int64_t> max_ranges{INT32_MAX};
  Setting<bool> chunked_transfer_encoding{true};
  Setting<bool> absolute_redirect{true};
  Setting<bool> server_name_in_redirect{false};
  Setting<bool> port_in_redirect{true};
  Setting<bool> tcp_nodelay{true};
  Setting<bool> tcp_nopush{false};
  Setting<std::vector<ErrorPage>> error_pages;
  Setting<bool> recursive_error_pages{false};
  Setting<std::vector<Template>> early_hints;  // 103 is passed on where one of them is neither empty nor 0
  Setting<LogTargets> error_log;  // empty: the main context's
  Setting<bool> log_not_found{true};
  Setting<bool> log_subrequest{false};
  Setting<Template> limit_rate, limit_rate_after;  // sizes; empty: 0

  // Files.
  Setting<Root> root;  // and alias
  Setting<bool> etag{true};
};

// What main and events say.
class MainConf {
 public:
  bool has_events = false;
  Setting<LogTargets> error_log;
  Setting<bool> daemon{true};
  Setting<bool> master_process{true};
  Setting<std::string> pid{std::string()};             // empty: the built-in place
  Setting<std::int64_t> worker_processes{1};           // loops; 0: auto
  Setting<std::int64_t> worker_connections{512};       // of each loop
  Setting<std::int64_t> worker_rlimit_nofile{0};       // 0: as inherited
  Setting<std::int64_t> worker_priority{0};
  Setting<std::string> working_directory{std::string()};
  Setting<std::string> user{std::string()};
  Setting<std::string> group{std::string()};
  Setting<milliseconds> worker_shutdown_timeout{milliseconds(0)};
  Setting<bool> compat_nginx{false};
  Setting<std::int64_t> limit_conn_header{256};
};

}  // namespace seawall
