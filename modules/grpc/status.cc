#include "status.h"

#include "seawall/base/text.h"
#include "seawall/http/status.h"
#include "seawall/upstream/attempts.h"

namespace seawall::grpc {
namespace {

// application/grpc, application/grpc+proto; gRPC-Web is something else.
bool is_call(const Exchange& x) {
  constexpr std::string_view type = "application/grpc";
  const std::string_view said = x.request.headers.get(FieldId::content_type);
  if (said.size() < type.size() || !equals_ignoring_case(said.substr(0, type.size()), type)) return false;
  return said.size() == type.size() || said[type.size()] == '+' || said[type.size()] == ';' || said[type.size()] == ' ';
}

// What clients make of an HTTP status themselves (gRPC's "HTTP to gRPC Status Code Mapping").
const char* code_of(int status) {
  switch (status) {
    case 400: return "13";                                        // INTERNAL
    case 401: return "16";                                        // UNAUTHENTICATED
    case 403: return "7";                                         // PERMISSION_DENIED
    case 404: return "12";                                        // UNIMPLEMENTED
    case 429: case 502: case 503: case 504: return "14";          // UNAVAILABLE
    default: return "2";                                          // UNKNOWN
  }
}

}  // namespace

Result<void> tell_status(Exchange& x, Response& response, const Conf&) {
  if (response.status < 400 || x.parent || !is_call(x) || Attempts::of(x).answers || response.headers.find("grpc-status")) return {};
  const std::string_view reason = reason_phrase(public_status(response.status));
  response.headers.set("Content-Type", "application/grpc");
  response.headers.add("grpc-status", code_of(response.status));
  response.headers.add("grpc-message", reason.empty() ? std::to_string(response.status) : std::string(reason));
  response.body = Slice();
  return {};
}

}  // namespace seawall::grpc
