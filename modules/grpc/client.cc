#include "client.h"

#include "seawall/base/text.h"
#include "seawall/upstream/request_target.h"

namespace seawall::grpc {
namespace {

bool takes_trailers(const Headers& headers) {
  for (const Field& field : headers.all()) {
    if (field.id != FieldId::te) continue;
    std::string_view rest = field.value;
    while (auto element = next_list_element(rest))
      if (equals_ignoring_case(*element, "trailers")) return true;
  }
  return false;
}

}  // namespace

Client::Client(Exchange& x, const Conf& conf, Destination to)
    : H2Client(x, conf), conf_(conf), to_(std::move(to)), uri_(passed_target(x)) {}

void Client::list_fields(Headers& fields, std::optional<std::uint64_t> length) {
  RequestFields::Facts facts;
  facts.default_host = to_.authority;
  fields.add(":method", method());
  fields.add(":scheme", to_.tls ? "https" : "http");
  fields.add(":path", uri_);
  fields.add(":authority", conf_.fields.host(x_, facts));
  conf_.fields.list(x_, facts, fields);
  if (!conf_.fields.sets("te") && takes_trailers(x_.request.headers)) fields.add("te", "trailers");
  if (length && x_.request.headers.has(FieldId::content_length)) fields.add("content-length", std::to_string(*length));
}

}  // namespace seawall::grpc
