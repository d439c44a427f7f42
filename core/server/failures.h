// What goes wrong with clients on the open Internet, before a handler or beside it: expected, so it is counted by class and server
// and logged at `info`; once a minute and class at `notice`, so that a log at that level shows samples (INTERNET.md, B37; not under
// `compat nginx`).
#pragma once
#include <cstdint>
#include <functional>
#include <string_view>
#include <system_error>

#include "seawall/base/export.h"
#include "seawall/log/log.h"

namespace seawall {

class Vhost;

enum class Failure : std::uint8_t {
  tls_no_shared_protocol, tls_no_shared_cipher, tls_bad_record, tls_eof, tls_other, tls_http_on_https,
  timeout_handshake, timeout_header, timeout_body, timeout_handler, timeout_send,
  reset_handshake, reset_header, reset_body, reset_handler, reset_send,
  bad_request_syntax, bad_request_uri_too_long, bad_request_header_too_large, bad_request_version, bad_request_not_supported,
  bad_request_http2, bad_proxy_header, too_many_headers,
};
inline constexpr int kFailures = 24;
SEAWALL_API const char* name_of(Failure failure);

// Counts it. Any loop.
void count_failure(const Vhost& vhost, Failure failure);
// The same; at which level its line is to be logged. `sample`: that of samples; where it is not notice it is nginx's own level, which
// each line has under `compat nginx`.
Level failed(const Vhost& vhost, Failure failure, Level sample = Level::notice);

// Of a head that is none.
Failure bad_request(const std::error_code& error);
// By the reason of OpenSSL's error; 0: it has said nothing.
Failure tls_failure(int reason);

SEAWALL_API void for_each_failure(const std::function<void(std::string_view vhost, Failure failure, std::uint64_t count)>& visit);

}  // namespace seawall
