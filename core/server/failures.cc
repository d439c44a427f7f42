#include "seawall/server/failures.h"

#include <openssl/sslerr.h>

#include <array>
#include <atomic>

#include "seawall/base/error.h"
#include "seawall/net/loop.h"
#include "seawall/server/event_counts.h"
#include "seawall/server/server_name.h"
#include "seawall/server/vhost.h"

namespace seawall {
namespace {

constexpr std::int64_t kBetweenSamples = 60'000'000'000;  // ns

constexpr const char* kNames[kFailures] = {
    "tls_no_shared_protocol", "tls_no_shared_cipher", "tls_bad_record", "tls_eof", "tls_other", "tls_http_on_https",
    "timeout_handshake", "timeout_header", "timeout_body", "timeout_handler", "timeout_send",
    "reset_handshake", "reset_header", "reset_body", "reset_handler", "reset_send",
    "bad_request_syntax", "bad_request_uri_too_long", "bad_request_header_too_large", "bad_request_version",
    "bad_request_not_supported", "bad_request_http2", "bad_proxy_header", "too_many_headers",
};

// Has it been a minute since the last sample of the class? Of all loops, one says so.
bool is_due(Failure failure) {
  static std::array<std::atomic<std::int64_t>, kFailures> sampled{};
  std::atomic<std::int64_t>& last = sampled[static_cast<std::size_t>(failure)];
  const std::int64_t now = Loop::current().now();
  std::int64_t before = last.load(std::memory_order_relaxed);
  if (before != 0 && now - before < kBetweenSamples) return false;
  return last.compare_exchange_strong(before, now, std::memory_order_relaxed);
}

}  // namespace

const char* name_of(Failure failure) { return kNames[static_cast<std::size_t>(failure)]; }

void count_failure(const Vhost& vhost, Failure failure) {
  failure_counts().at(vhost.primary_name.empty() ? "_" : vhost.primary_name)[static_cast<std::size_t>(failure)].add();
}

Level failed(const Vhost& vhost, Failure failure, Level sample) {
  count_failure(vhost, failure);
  if (is_nginx_alike()) return sample == Level::notice ? Level::info : sample;
  return is_due(failure) ? sample : Level::info;
}

Failure bad_request(const std::error_code& error) {
  if (error == Errc::uri_too_long) return Failure::bad_request_uri_too_long;
  if (error == Errc::header_too_large) return Failure::bad_request_header_too_large;
  if (error == Errc::bad_version) return Failure::bad_request_version;
  if (error == Errc::not_supported) return Failure::bad_request_not_supported;
  return Failure::bad_request_syntax;
}

Failure tls_failure(int reason) {
  switch (reason) {
    case SSL_R_NO_SHARED_CIPHER: case SSL_R_NO_SUITABLE_KEY_SHARE: case SSL_R_NO_SHARED_GROUPS: case SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS:
    case SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM: return Failure::tls_no_shared_cipher;
    case SSL_R_UNSUPPORTED_PROTOCOL: case SSL_R_VERSION_TOO_LOW: case SSL_R_VERSION_TOO_HIGH: return Failure::tls_no_shared_protocol;
    case SSL_R_WRONG_VERSION_NUMBER: case SSL_R_BAD_RECORD_TYPE: case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC:
    case SSL_R_PACKET_LENGTH_TOO_LONG: case SSL_R_RECORD_LENGTH_MISMATCH: case SSL_R_BAD_PACKET: case SSL_R_UNEXPECTED_RECORD:
      return Failure::tls_bad_record;
    case SSL_R_UNEXPECTED_EOF_WHILE_READING: return Failure::tls_eof;
    default: return Failure::tls_other;
  }
}

void for_each_failure(const std::function<void(std::string_view, Failure, std::uint64_t)>& visit) {
  failure_counts().for_each([&](std::string_view vhost, const SharedCount* counts) {
    for (int i = 0; i < kFailures; ++i)
      if (const std::uint64_t n = counts[i].get()) visit(vhost, static_cast<Failure>(i), n);
  });
}

}  // namespace seawall
