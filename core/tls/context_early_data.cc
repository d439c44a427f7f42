// Early data (0-RTT): how much of it, and that no ClientHello brings it twice. OpenSSL's own guard needs its own session cache;
// ours works for tickets, on all loops.
#include <ctime>

#include "seawall/tls/context_parts.h"
#include "seawall/tls/replay_guard.h"

namespace seawall {
namespace {

constexpr std::uint32_t kMost = 16384;  // nginx's

int allow_early_data(SSL* ssl, void*) {
  timespec time;
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  if (TlsState::of(SSL_get_SSL_CTX(ssl)).keys_outlive_us && ReplayGuard::is_young(time.tv_sec)) return 0;
  unsigned char random[32];
  if (SSL_get_client_random(ssl, random, sizeof random) != sizeof random) return 0;
  return ReplayGuard::take(random, time.tv_sec) ? 1 : 0;
}

}  // namespace

void set_early_data(SSL_CTX* ctx, const TlsSettings& s) {
  SSL_CTX_set_options(ctx, SSL_OP_NO_ANTI_REPLAY);
  SSL_CTX_set_allow_early_data_cb(ctx, allow_early_data, nullptr);
  if (!s.early_data) return;
  ReplayGuard::open();
  SSL_CTX_set_max_early_data(ctx, kMost);
  SSL_CTX_set_recv_max_early_data(ctx, kMost);
}

}  // namespace seawall
