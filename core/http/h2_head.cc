#include "seawall/http/h2_head.h"

#include <utility>

#include "seawall/base/bytes.h"
#include "seawall/base/text.h"
#include "seawall/http/grammar.h"
#include "seawall/http/singular.h"
#include "seawall/http/uri.h"

namespace seawall {
namespace {

constexpr ByteSet kScheme([](char c) { return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.'; });
// What may stand in a name at all (RFC 9113 8.2.1).
constexpr ByteSet kName([](char c) { return c > 0x20 && c < 0x7f && c != ':' && !(c >= 'A' && c <= 'Z'); });

// RFC 3986 3.1
bool is_scheme(std::string_view text) { return !text.empty() && is_alpha(text[0]) && kScheme.has_all(text); }

bool is_space(char c) { return c == ' ' || c == '\t'; }

// Text of a client in a message of ours: short, without control bytes.
std::string shown(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, 100)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '.' : c;
  return out + '"';
}

// Fields that speak of one HTTP/1 connection (RFC 9113 8.2.2), by nginx's names for them.
const char* connection_field(FieldId id) {
  switch (id) {
    case FieldId::connection: return "Connection";
    case FieldId::keep_alive: return "Keep-Alive";
    case FieldId::proxy_connection: return "Proxy-Connection";
    case FieldId::transfer_encoding: return "Transfer-Encoding";
    case FieldId::upgrade: return "Upgrade";
    default: return nullptr;
  }
}

// Fields that frame or route a message have no place behind it (RFC 9110 6.5.1).
bool belongs_in_front(FieldId id) {
  switch (id) {
    case FieldId::content_length: case FieldId::host: case FieldId::te: case FieldId::trailer: case FieldId::authorization:
    case FieldId::content_type: case FieldId::content_encoding: case FieldId::content_range: case FieldId::expect:
    case FieldId::cookie: return true;
    default: return connection_field(id) != nullptr;
  }
}

}  // namespace

void H2HeadReader::start(bool trailers) {
  head_ = RequestHead();
  head_.version = Version::http2;
  method_ = scheme_ = path_ = authority_ = protocol_ = std::nullopt;
  cookie_.clear();
  unpacked_ = 0;
  fields_ = 0;
  status_ = 0;
  reason_.clear();
  trailers_ = trailers;
  regular_ = false;
}
void H2HeadReader::begin() { start(false); }
void H2HeadReader::begin_trailers() { start(true); }

void H2HeadReader::fail(std::string reason, int status) {
  if (status_) return;
  status_ = status;
  reason_ = std::move(reason);
}

std::string_view H2HeadReader::keep(std::string_view text, bool forever) {
  return forever ? text : head_.headers.arena().copy(text);
}

bool H2HeadReader::check_name(std::string_view name) {
  const std::string_view rest = name.starts_with(':') ? name.substr(1) : name;
  if (!rest.empty() && kName.has_all(rest)) return true;
  fail("client sent invalid header name: " + shown(name));
  return false;
}

// Control bytes have no place in a value (RFC 9110 5.5), nor have spaces at its ends (RFC 9113 8.2.1).
bool H2HeadReader::check_value(std::string_view name, std::string_view value) {
  const bool spaced = !value.empty() && (is_space(value.front()) || is_space(value.back()));
  if (!spaced && is_field_value(value)) return true;
  fail("client sent header " + shown(name) + " with invalid value: " + shown(value));
  return false;
}

void H2HeadReader::add(std::string_view name, std::string_view value, bool forever) {
  unpacked_ += name.size() + value.size();
  if (status_) return;
  if (name.size() > limits_->line() || value.size() > limits_->line()) return fail("client sent too large header field", 494);
  if (unpacked_ > limits_->total()) return fail("client sent too large header", 494);
  if (!check_name(name) || !check_value(name, value)) return;
  if (name[0] == ':') return add_pseudo(name, keep(value, forever));
  regular_ = true;
  if (++fields_ > limits_->max_headers) return fail("client sent too many header lines", 494);
  if (options_->ignore_invalid_headers && !is_usual_name(name, options_->underscores_in_headers)) return;
  const FieldId id = field_id(name);
  if (trailers_ && belongs_in_front(id)) return;
  if (id == FieldId::cookie) return add_cookie(value);
  head_.headers.add_view(keep(name, forever), keep(value, forever), id);
}

void H2HeadReader::add_pseudo(std::string_view name, std::string_view value) {
  if (trailers_ || regular_) return fail("client sent out of order pseudo-headers");
  if (name == ":method") return take(method_, ":method", value);
  if (name == ":scheme") return take(scheme_, ":scheme", value);
  if (name == ":path") return take(path_, ":path", value);
  if (name == ":authority") return take(authority_, ":authority", value);
  if (name == ":protocol") return take(protocol_, ":protocol", value);
  fail("client sent unknown pseudo-header " + shown(name));
}

void H2HeadReader::take(std::optional<std::string_view>& place, const char* name, std::string_view value) {
  if (place) return fail(std::string("client sent duplicate ") + name + " header");
  if (value.empty()) return fail(std::string("client sent empty ") + name + " header");
  place = value;
}

// Browsers send a cookie a field, so that each is indexed by itself; everybody else expects one (RFC 9113 8.2.3).
void H2HeadReader::add_cookie(std::string_view value) {
  if (!cookie_.empty()) cookie_ += "; ";
  cookie_ += value;
}

void H2HeadReader::make_request_line() {
  std::string line(method_.value_or(""));
  line.append(" ").append(head_.target).append(" HTTP/2.0");
  head_.request_line = head_.headers.arena().copy(line);
}

void H2HeadReader::check_connection_fields() {
  const Headers& h = head_.headers;
  for (const Field& field : h.all())
    if (const char* name = connection_field(field.id)) return fail(std::string("client sent \"") + name + "\" header");
  if (!h.has(FieldId::te)) return;
  if (h.count(FieldId::te) > 1 || !equals_ignoring_case(h.get(FieldId::te), "trailers"))
    fail("client sent invalid \"TE\" header");
}

// :authority and Host must name the same server; whoever asks for Host finds it.
void H2HeadReader::read_host() {
  Headers& h = head_.headers;
  if (h.count(FieldId::host) > 1) return fail("client sent duplicate host header");
  const Field* host = h.find(FieldId::host);
  if (!authority_ && (!host || host->value.empty())) return fail("client sent neither \":authority\" nor \"Host\" header");
  if (authority_ && host && host->value != *authority_)
    return fail("client sent \":authority\" and \"Host\" headers with different values");
  head_.authority = authority_ ? *authority_ : host->value;
  Result<std::string> name = parse_host(head_.authority);
  if (!name) return fail(std::string("client sent invalid ") + (authority_ ? "\":authority\"" : "host") + " header");
  head_.host = h.arena().copy(*name);
  if (!host) h.add_view("host", *authority_, FieldId::host);
}

void H2HeadReader::read_length(bool ends) {
  const Headers& h = head_.headers;
  if (repeats_singular(h)) return fail("client sent a header twice that may come once");
  head_.chunked = !ends;
  if (!h.has(FieldId::content_length)) return;
  const auto length = parse_decimal(h.get(FieldId::content_length));
  if (h.count(FieldId::content_length) > 1 || !length || *length > INT64_MAX)
    return fail("client sent invalid \"Content-Length\" header");
  head_.content_length = *length;
  head_.chunked = false;
  if (ends && *length > 0) fail("client prematurely closed stream");
}

// RFC 8441 4; nothing but WebSocket has a meaning here.
void H2HeadReader::check_tunnel() {
  if (method_ != "CONNECT") return fail("client sent :protocol header without CONNECT");
  if (*protocol_ != "websocket") return fail("client asked for unknown protocol " + shown(*protocol_), 501);
  head_.tunnel = "websocket";
  head_.method = Method::get;  // what HTTP/1.1 asks with
  head_.method_name = "GET";
}

void H2HeadReader::check_request(bool ends) {
  const bool connect = method_ == "CONNECT" && !protocol_;
  if (!method_) return fail("client sent no :method header");
  if (!is_method(*method_)) return fail("client sent invalid method: " + shown(*method_));
  if (!connect && !scheme_) return fail("client sent no :scheme header");
  if (scheme_ && !is_scheme(*scheme_)) return fail("client sent invalid :scheme header: " + shown(*scheme_));
  if (!connect && !path_) return fail("client sent no :path header");
  if (path_ && !path_->starts_with('/') && *path_ != "*") return fail("client sent invalid :path header: " + shown(*path_));
  read_host();
  if (status_) return;
  if (protocol_) check_tunnel();
  if (connect) {
    head_.raw_path = head_.path = "/";  // it is answered with 405, whatever it asks for
  } else {
    if (!parse_target(head_, options_->merge_slashes)) return fail("client sent invalid :path header: " + shown(*path_));
  }
  check_connection_fields();
  read_length(ends);
  head_.expects_continue = equals_ignoring_case(head_.headers.get(FieldId::expect), "100-continue");
}

RequestHead H2HeadReader::finish(std::size_t wire_size, bool ends) {
  head_.size = wire_size;
  head_.method_name = method_.value_or("");
  head_.method = method_of(head_.method_name);
  head_.target = path_.value_or(authority_.value_or(""));
  if (method_ && !head_.target.empty()) make_request_line();
  if (!cookie_.empty()) head_.headers.add_view("cookie", head_.headers.arena().copy(cookie_), FieldId::cookie);
  if (!status_) check_request(ends);
  RequestHead head = std::move(head_);
  if (status_ && head.path.empty()) head.path = "/";
  head_ = RequestHead();
  cookie_ = {};
  return head;
}

Headers H2HeadReader::finish_trailers() {
  Headers trailers = std::move(head_.headers);
  head_ = RequestHead();
  return trailers;
}

}  // namespace seawall
