// Variables of the response: of the head while filters shape it and while it is sent, of what was sent once it is out.
// Any loop.
#include "seawall/config/directive.h"
#include "seawall/http/date.h"
#include "seawall/server/core_conf.h"
#include "seawall/server/exchange.h"
#include "seawall/server/variables.h"

namespace seawall {
namespace {

bool bytes_sent(Exchange& x, std::string_view, const void*, std::string& out) {
  append_number(x.bytes_sent, out);
  return true;
}

bool body_bytes_sent(Exchange& x, std::string_view, const void*, std::string& out) {
  append_number(x.body_bytes_sent, out);
  return true;
}

bool request_completion(Exchange& x, std::string_view, const void*, std::string& out) {
  if (x.completed) out.append("OK");
  return true;
}

// Three digits, as in a status line.
bool status(Exchange& x, std::string_view, const void*, std::string& out) {
  const int status = x.status == 0 && x.response ? x.response->status : x.status;
  for (int unit : {100, 10, 1}) out.push_back(static_cast<char>('0' + status / unit % 10));
  return true;
}

bool sent_field(Exchange& x, std::string_view rest, const void*, std::string& out) {
  return x.response && append_fields(x.response->headers, rest, ", ", out);
}

// Fields the writer makes itself, said as it will write them.
bool sent_content_length(Exchange& x, std::string_view rest, const void* data, std::string& out) {
  if (!x.response) return false;
  if (sent_field(x, rest, data, out)) return true;
  const auto length = x.sent_content_length ? x.sent_content_length : length_of(x.response->body);
  if (!length) return false;
  append_number(*length, out);
  return true;
}

bool sent_last_modified(Exchange& x, std::string_view, const void*, std::string& out) {
  if (!x.response) return false;
  if (append_fields(x.response->headers, "last_modified", ", ", out)) return true;
  if (!x.response->last_modified) return false;
  out.append(http_date(*x.response->last_modified));
  return true;
}

bool sent_connection(Exchange& x, std::string_view, const void*, std::string& out) {
  if (!x.response) return false;
  if (x.response->status == 101) out.append("upgrade");
  else out.append(x.keep_alive && !x.response->close ? "keep-alive" : "close");
  return true;
}

bool sent_keep_alive(Exchange& x, std::string_view, const void*, std::string& out) {
  const auto header = x.core().keepalive_timeout->header;
  if (!x.response || !x.keep_alive || x.response->close || header.count() <= 0) return false;
  out.append("timeout=");
  append_number(static_cast<std::uint64_t>(header.count() / 1000), out);
  return true;
}

bool sent_transfer_encoding(Exchange& x, std::string_view, const void*, std::string& out) {
  if (!x.chunked_response) return false;
  out.append("chunked");
  return true;
}

bool sent_trailer(Exchange& x, std::string_view rest, const void*, std::string& out) {
  return append_fields(x.sent_trailers, rest, ", ", out);
}

// As in nginx: what a request has been told so far, not what its location will say.
bool limit_rate(Exchange& x, std::string_view, const void*, std::string& out) {
  append_number(static_cast<std::uint64_t>(x.limit_rate.value_or(0)), out);
  return true;
}

void set_limit_rate(Exchange& x, std::string_view value) {
  const auto rate = size_of(value);
  if (rate) x.limit_rate = *rate;
  else x.log(Level::error, "invalid $limit_rate \"" + std::string(value) + "\"");
}

constexpr VariableRow rows[] = {
    {"body_bytes_sent", body_bytes_sent},
    {"bytes_sent", bytes_sent},
    {"limit_rate", limit_rate, false, set_limit_rate},
    {"request_completion", request_completion},
    {"sent_http_*", sent_field},
    {"sent_http_connection", sent_connection},
    {"sent_http_content_length", sent_content_length},
    {"sent_http_keep_alive", sent_keep_alive},
    {"sent_http_last_modified", sent_last_modified},
    {"sent_http_transfer_encoding", sent_transfer_encoding},
    {"sent_trailer_*", sent_trailer},
    {"status", status},
};

}  // namespace

std::span<const VariableRow> response_variables() { return rows; }

}  // namespace seawall
