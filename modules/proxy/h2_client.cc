#include "h2_client.h"

#include "h1_client.h"

namespace seawall::proxy {

ProxyH2Client::ProxyH2Client(Exchange& x, const Conf& conf, Destination&& to, std::string method)
    : H2Client(x, conf), conf_(conf), to_(std::move(to)), method_(std::move(method)) {}

void ProxyH2Client::list_fields(Headers& fields, std::optional<std::uint64_t> length) {
  RequestFields::Facts facts;
  facts.default_host = to_.host;
  facts.passes_client = *conf_.pass_request_headers;
  facts.for_cache = &for_cache;
  const bool websocket = opens_websocket();
  fields.add(":method", websocket ? "CONNECT" : asked_method());
  if (websocket) fields.add(":protocol", "websocket");
  fields.add(":scheme", to_.tls ? "https" : "http");
  fields.add(":path", to_.uri);
  fields.add(":authority", conf_.fields.host(x_, facts));
  conf_.fields.list(x_, facts, fields);
  if (websocket) return fields.remove("Sec-WebSocket-Key");  // the stream proves as much
  const bool says_length = x_.body.present() || x_.request.headers.has(FieldId::content_length) || method_ == "POST" || method_ == "PUT";
  if (length && (*length > 0 || says_length)) fields.add("content-length", std::to_string(*length));
}

bool ProxyH2Client::rewrite(const Field& field, std::string& value) { return rewrite_field(x_, conf_, field, value); }

}  // namespace seawall::proxy
