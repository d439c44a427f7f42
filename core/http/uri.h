// The request target and the host that a request names: parsed strictly, decoded once, normalised as nginx does ($uri).
// What could be read in two ways is an error. Pure; any thread. RFC 9112 3.2, RFC 3986 3.2.2 and 6.2.2.
#pragma once
#include <string>
#include <string_view>

#include "seawall/base/export.h"
#include "seawall/base/result.h"
#include "seawall/http/message.h"

namespace seawall {

// Fills target, raw_path, args, has_args, path and, for the absolute form, authority. CONNECT takes the authority form,
// OPTIONS also "*". Errors: bad_request.
Result<void> parse_target(RequestHead& head, bool merge_slashes);

// The path decoded and normalised: %XX once, "." and "..", and // to / when merging. Errors: bad escapes, %00, control
// bytes, "..", above the root.
SEAWALL_API Result<std::string> normalize_path(std::string_view raw, bool merge_slashes);

// host[:port] as a Host field or an authority may be; the host in lower case without port and final dot.
SEAWALL_API Result<std::string> parse_host(std::string_view authority);

// The inverse for redirects: bytes a path may not carry become %XX.
SEAWALL_API std::string escape_uri(std::string_view path);

}  // namespace seawall
