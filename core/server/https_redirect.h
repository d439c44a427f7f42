// The redirect from plain HTTP to HTTPS, for the modules that make it. One loop.
#pragma once
#include <string_view>

#include "seawall/base/export.h"
#include "seawall/http/message.h"

namespace seawall {

class Exchange;

class HttpsRedirect {
 public:
  int code = 301;  // of GET and HEAD; other methods get the one that keeps the method (308 for 301, 307 for 302)
  int port = 443;
};

// Where a CA looks for its tokens, over plain HTTP (RFC 8555 8.3): never redirected.
inline constexpr std::string_view kAcmePath = "/.well-known/acme-challenge/";

// A request of a client, over plain HTTP, for something other than the path of a CA.
SEAWALL_API bool may_be_redirected(const Exchange& x);
// To the same host and exactly the same target; the connection ends with it (B11, B12).
SEAWALL_API Response redirect_to_https(const Exchange& x, HttpsRedirect redirect);

}  // namespace seawall
