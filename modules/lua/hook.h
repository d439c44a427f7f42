// Where a script runs: its name in messages, and what it may do there. Any thread.
#pragma once
#include <cstdint>

namespace seawall::lua {

enum class Hook : std::uint8_t {
  init, init_worker, set, server_rewrite, rewrite, access, content, header_filter, body_filter, log, timer, balancer,
  ssl_certificate, exit_worker, ssl_client_hello,
};

using Hooks = unsigned;
constexpr Hooks bit(Hook hook) { return 1u << static_cast<unsigned>(hook); }

inline constexpr Hooks kWaiting = bit(Hook::server_rewrite) | bit(Hook::rewrite) | bit(Hook::access) | bit(Hook::content) |
                                  bit(Hook::timer) | bit(Hook::ssl_certificate) | bit(Hook::ssl_client_hello);
inline constexpr Hooks kHandlers = bit(Hook::server_rewrite) | bit(Hook::rewrite) | bit(Hook::access) | bit(Hook::content);
inline constexpr Hooks kHandshake = bit(Hook::ssl_certificate) | bit(Hook::ssl_client_hello);
inline constexpr Hooks kRequest = kHandlers | bit(Hook::set) | bit(Hook::header_filter) | bit(Hook::body_filter) | bit(Hook::log) |
                                  bit(Hook::balancer);

const char* name_of(Hook hook);   // as in "API disabled in the context of NAME"
const char* context_of(Hook hook);  // what log lines of those without a request end with: ", context: NAME"; else ""
const char* phase_of(Hook hook);  // what ngx.get_phase() says

}  // namespace seawall::lua
