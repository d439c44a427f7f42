// Asks an OCSP responder over HTTP. One loop.
#pragma once
#include <string>

#include "seawall/async/deadline.h"
#include "seawall/async/task.h"
#include "seawall/base/result.h"
#include "seawall/tls/stapling.h"

namespace seawall {

// The request for a question (DER in base64): a GET, which caches can answer (RFC 6960, A.1).
std::string ocsp_request(const Responder& responder, const std::string& question);
// Everything that the responder at this address sends: it has ten seconds, and none after `last`.
Task<Result<std::string>> ask_ocsp_responder(Address address, std::string request, Deadline last = Deadline::never(Wait::upstream_read));
// The body of what it sent. TlsError: it is no HTTP, or no success.
std::string ocsp_body(const std::string& response);

}  // namespace seawall
