// Variables of the request: its line, where it is now, its body, and the captures of the last match. Any loop.

#include <algorithm>

#include "seawall/base/check.h"
#include "seawall/base/hex.h"
#include "seawall/base/text.h"
#include "seawall/net/loop.h"
#include "seawall/server/exchange.h"
#include "seawall/server/request_id.h"
#include "seawall/server/variables.h"
#include "seawall/server/vhost.h"
#include "seawall/tls/tls_stream.h"

namespace seawall {
namespace {

bool is_tls(const Exchange& x) { return x.connection.tls && !x.connection.tls->is_plain(); }

// A text that a request which never parsed does not have.
bool append_known(std::string_view text, std::string& out) {
  out.append(text);
  return !text.empty();
}

bool request(Exchange& x, std::string_view, const void*, std::string& out) {
  return append_known(x.request.request_line, out);
}

bool request_method(Exchange& x, std::string_view, const void*, std::string& out) {
  const Exchange& main = x.main();  // an internal redirect may have made it a GET
  return append_known(main.method != main.request.method && main.method == Method::get ? "GET" : main.request.method_name, out);
}

bool request_uri(Exchange& x, std::string_view, const void*, std::string& out) {
  const RequestHead& head = x.main().request;
  if (head.target.starts_with('/')) return append_known(head.target, out);
  if (head.raw_path.empty()) return false;
  out.append(head.raw_path);
  if (head.has_args) out.append("?").append(head.args);
  return true;
}

bool server_protocol(Exchange& x, std::string_view, const void*, std::string& out) {
  if (x.request.method_name.empty()) return false;
  switch (x.request.version) {
    case Version::http10: out.append("HTTP/1.0"); break;
    case Version::http11: out.append("HTTP/1.1"); break;
    case Version::http2: out.append("HTTP/2.0"); break;
  }
  return true;
}

// Of a request whose path leads out of the root it is empty, which is not the same as not found.
bool names_path(std::string_view request_line) {
  const std::size_t space = request_line.find(' ');
  const std::string_view method = request_line.substr(0, space);
  return space != request_line.npos && request_line.substr(space).starts_with(" /") &&
         std::all_of(method.begin(), method.end(), [](char c) { return is_alpha(c) || c == '-' || c == '_'; });
}
bool uri(Exchange& x, std::string_view, const void*, std::string& out) {
  return append_known(x.uri, out) || names_path(x.request.request_line);
}

bool args(Exchange& x, std::string_view, const void*, std::string& out) {
  out.append(x.args);
  return !x.args.empty() || x.request.has_args;
}
// Without a value (a script's nil) there are none, not empty ones.
void set_args(Exchange& x, std::string_view value) {
  x.args = value;
  if (!value.data()) x.request.has_args = false;
}

bool is_args(Exchange& x, std::string_view, const void*, std::string& out) {
  if (!x.args.empty()) out.push_back('?');
  return true;
}

// The request line's host, else Host, else the server's name: the head has settled the first two.
bool host(Exchange& x, std::string_view, const void*, std::string& out) {
  if (!x.request.host.empty()) out.append(x.request.host);
  else out.append(x.vhost->primary_name);
  return true;
}

// The port as the client wrote it; empty when it wrote none.
std::string_view written_port(const Exchange& x) {
  const std::string_view authority = x.request.authority;
  const auto colon = authority.rfind(':');
  if (colon == std::string_view::npos || authority.find(']', colon) != std::string_view::npos) return {};
  return authority.substr(colon + 1);
}

bool request_port(Exchange& x, std::string_view, const void*, std::string& out) {
  out.append(written_port(x));
  return true;
}

bool is_request_port(Exchange& x, std::string_view, const void*, std::string& out) {
  if (!written_port(x).empty()) out.push_back(':');
  return true;
}

bool scheme(Exchange& x, std::string_view, const void*, std::string& out) {
  out.append(is_tls(x) ? "https" : "http");
  return true;
}

bool https(Exchange& x, std::string_view, const void*, std::string& out) {
  if (is_tls(x)) out.append("on");
  return true;
}

bool http2(Exchange& x, std::string_view, const void*, std::string& out) {
  if (x.request.version == Version::http2) out.append(is_tls(x) ? "h2" : "h2c");
  return true;
}

bool server_name(Exchange& x, std::string_view, const void*, std::string& out) {
  out.append(x.vhost->primary_name);
  return true;
}

bool request_length(Exchange& x, std::string_view, const void*, std::string& out) {
  append_number(x.request.size + x.body.wire_size(), out);
  return true;
}

bool request_time(Exchange& x, std::string_view, const void*, std::string& out) {
  append_seconds(x.loop.now() - x.started, out);
  return true;
}

// What a request's time went into. Its parts are a whole: reading its head, waiting for its body, what the handler did meanwhile,
// and sending.
bool header_time(Exchange& x, std::string_view, const void*, std::string& out) {
  append_seconds(x.head_read - x.started, out);
  return true;
}

bool body_time(Exchange& x, std::string_view, const void*, std::string& out) {
  append_seconds(x.body_waited, out);
  return true;
}

bool handler_time(Exchange& x, std::string_view, const void*, std::string& out) {
  const std::int64_t until = x.response_begun ? x.response_begun : x.loop.now();
  append_seconds(until - x.head_read - x.body_waited, out);
  return true;
}

bool send_time(Exchange& x, std::string_view, const void*, std::string& out) {
  append_seconds(x.response_begun ? x.loop.now() - x.response_begun : 0, out);
  return true;
}

bool request_body(Exchange& x, std::string_view, const void*, std::string& out) {
  if (!x.body.kept() || x.body.kept()->empty()) return false;
  out.append(x.body.kept()->view());
  return true;
}

bool request_body_file(Exchange& x, std::string_view, const void*, std::string& out) {
  const std::string name = x.body.file_name();
  out.append(name);
  return !name.empty();
}

bool request_id(Exchange& x, std::string_view, const void*, std::string& out) {
  out += seawall::request_id(x);
  return true;
}

// Those of the last regex that matched.
template <int Group>
bool capture(Exchange& x, std::string_view, const void*, std::string& out) {
  if (Group >= x.captures.count()) return false;
  out.append(x.captures.get(Group));
  return true;
}

constexpr VariableRow request_rows[] = {
    {"args", args, false, set_args},
    {"document_uri", uri},
    {"host", host},
    {"http2", http2},
    {"https", https},
    {"is_args", is_args},
    {"is_request_port", is_request_port},
    {"phase_body_time", body_time},
    {"phase_handler_time", handler_time},
    {"phase_header_time", header_time},
    {"phase_send_time", send_time},
    {"query_string", args},
    {"request", request},
    {"request_body", request_body},
    {"request_body_file", request_body_file},
    {"request_id", request_id},
    {"request_length", request_length},
    {"request_method", request_method},
    {"request_port", request_port},
    {"request_time", request_time},
    {"request_uri", request_uri},
    {"scheme", scheme},
    {"server_name", server_name},
    {"server_protocol", server_protocol},
    {"uri", uri},
};

constexpr VariableRow capture_rows[] = {
    {"0", capture<0>}, {"1", capture<1>}, {"2", capture<2>}, {"3", capture<3>}, {"4", capture<4>},
    {"5", capture<5>}, {"6", capture<6>}, {"7", capture<7>}, {"8", capture<8>}, {"9", capture<9>},
};

}  // namespace

std::span<const VariableRow> request_variables() { return request_rows; }
std::span<const VariableRow> capture_variables() { return capture_rows; }

}  // namespace seawall
