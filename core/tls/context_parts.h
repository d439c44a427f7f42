// The parts that make an SSL_CTX of TlsSettings, and what callbacks find behind it. For core/tls alone. Start-up thread,
// or the one that renews.
#pragma once
#include "seawall/tls/context.h"
#include "seawall/tls/session_cache.h"
#include "seawall/tls/stapling.h"
#include "seawall/tls/ticket_keys.h"

namespace seawall {

// What OpenSSL's callbacks need to know of the server that a client has chosen; lives as long as the SSL_CTX.
class TlsState {
 public:
  std::shared_ptr<SessionCache> sessions;  // null: sessions are not kept
  std::shared_ptr<TicketKeys> tickets;
  bool keys_outlive_us = false;            // ssl_session_ticket_key, or sessions that are in a cache alone
  std::string groups;
  std::size_t record_size = 0;
  Staples staples;
  static TlsState& of(SSL_CTX* ctx);
  static TlsState& attach(SSL_CTX* ctx);
};

// How a name is shown: not with a key in it.
std::string shown(const std::string& name);

void set_versions(SSL_CTX* ctx, const TlsSettings& settings);
void set_ciphers(SSL_CTX* ctx, const TlsSettings& settings, const PemFiles& files);
void set_commands(SSL_CTX* ctx, const TlsSettings& settings);
void set_verification(SSL_CTX* ctx, const TlsSettings& settings, const PemFiles& files);
void set_sessions(SSL_CTX* ctx, const TlsSettings& settings, const PemFiles& files);
void set_early_data(SSL_CTX* ctx, const TlsSettings& settings);
// `before`: those of the context that this one replaces.
void set_stapling(SSL_CTX* ctx, const TlsSettings& settings, const PemFiles& files, const Staples& before,
                  std::vector<std::string>& warnings);

}  // namespace seawall
