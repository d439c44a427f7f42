// The error codes of the server itself, usable as std::error_code. System errors (errno) keep std::generic_category.
// Any thread.
#pragma once
#include <string>
#include <system_error>

#include "seawall/base/export.h"

namespace seawall {

enum class Errc {
  ok = 0,
  timed_out,         // a Deadline passed
  cancelled,         // the Scope was cancelled while or before waiting
  peer_closed,       // the peer ended the stream in order
  peer_reset,        // the peer reset the stream, or it broke
  bad_request,       // not HTTP, or HTTP that could be read in two ways
  uri_too_long,      // the request line does not fit into one large buffer
  header_too_large,  // a field line or the whole head is over the limit
  body_too_large,    // over client_max_body_size
  bad_version,       // HTTP/2 and up in an HTTP/1 request line
  not_supported,     // a transfer coding or a method form that is not served
  tls_failed,        // the TLS peer broke the protocol; details are in the OpenSSL queue text
  plain_on_tls,      // plain HTTP came to a TLS port
  truncated,         // a file or a body ended before its announced length
  exhausted,         // out of descriptors, memory or another bounded resource
};

SEAWALL_API const std::error_category& seawall_category() noexcept;
inline std::error_code make_error_code(Errc e) noexcept { return {static_cast<int>(e), seawall_category()}; }
inline std::error_code system_error_code(int err) noexcept { return {err, std::generic_category()}; }

// The text nginx would print: "(111: Connection refused)" for errno values, plain words for Errc.
SEAWALL_API std::string describe(const std::error_code& code);

}  // namespace seawall

template <>
struct std::is_error_code_enum<seawall::Errc> : std::true_type {};
