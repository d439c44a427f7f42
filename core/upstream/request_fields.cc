#include "seawall/upstream/request_fields.h"

#include <algorithm>
#include <type_traits>

#include "seawall/base/bytes.h"
#include "seawall/base/text.h"
#include "seawall/server/exchange.h"
#include "seawall/server/trace_context.h"
#include "seawall/upstream/ended_fields.h"

namespace seawall {
namespace {

// Of the client's connection, or written by ourselves.
bool stays_here(FieldId id) {
  switch (id) {
    case FieldId::host: case FieldId::connection: case FieldId::proxy_connection: case FieldId::keep_alive: case FieldId::te:
    case FieldId::upgrade: case FieldId::expect: case FieldId::content_length: case FieldId::transfer_encoding:
    case FieldId::http2_settings: case FieldId::trailer:
      return true;
    default: return false;
  }
}

// A line, whose value cannot end it.
void append_line(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  for (const char c : value)
    if (c != '\r' && c != '\n' && c != '\0') out += c;
  out += "\r\n";
}

// Names that HTTP/2 cannot carry (RFC 9113 8.2.1) or must not (8.2.2) do not get that far.
void append_line(Headers& out, std::string_view name, std::string_view value) {
  static constexpr ByteSet allowed([](char c) { return c > 0x20 && c < 0x7f && c != ':'; });
  if (!name.empty() && allowed.has_all(name)) out.add(name, value);
}

bool names_token(std::string_view list, std::string_view token) {
  while (auto element = next_list_element(list))
    if (equals_ignoring_case(*element, token)) return true;
  return false;
}

// Which HTTP/1 can pass on.
bool asks_for_websocket(const Exchange& x) {
  const std::string_view upgrade = x.request.headers.get(FieldId::upgrade);
  if (x.parent || upgrade.empty() || (x.request.version != Version::http11 && x.request.tunnel.empty()) || x.body.present()) return false;
  return equals_ignoring_case(upgrade, "websocket") && names_token(x.request.headers.get(FieldId::connection), "upgrade");
}

bool is_of_trace(std::string_view name) { return equals_ignoring_case(name, "traceparent") || equals_ignoring_case(name, "tracestate"); }

bool is_of_http1(FieldId id) {
  switch (id) {
    case FieldId::connection: case FieldId::proxy_connection: case FieldId::keep_alive: case FieldId::upgrade:
    case FieldId::http2_settings: return true;
    default: return false;
  }
}

}  // namespace

RequestFields::RequestFields(const std::vector<SetField>& set) {
  for (const SetField& field : set) {
    names_.insert(lower(field.name));
    if (field.id == FieldId::content_length || field.id == FieldId::transfer_encoding) continue;  // say what is sent, always
    if (field.id == FieldId::upgrade || field.id == FieldId::connection) sets_upgrade_ = true;
    if (field.id == FieldId::host) host_value_ = std::make_shared<Template>(field.value);
    else set_.push_back(field);
  }
}

void append_set_field(std::vector<SetField>& fields, const Invocation& in) {
  SetField& field = fields.emplace_back();
  field.name = in.arg(0);
  field.id = field_id(field.name);
  field.value = in.compile(in.arg(1));
}

std::string RequestFields::host(Exchange& x, const Facts& facts) const {
  std::string host;
  if (host_value_) host = host_value_->eval(x);
  if (!host_value_ || (host.empty() && facts.needs_host)) host = facts.default_host;
  return host;
}

bool RequestFields::write(Exchange& x, const Facts& facts, std::string& out) const {
  const std::string name = host(x, facts);
  if (!name.empty()) append_line(out, "Host", name);
  bool upgrades = write_set(x, out);
  write_trace(x, out);
  const bool whole = facts.for_cache && facts.for_cache->whole;
  if (!sets_upgrade_ && facts.needs_host && !whole) upgrades = write_websocket(x, out);
  if (facts.passes_client) write_clients(x, whole, out);
  if (whole) write_conditions(*facts.for_cache, out);
  return upgrades;
}

void RequestFields::list(Exchange& x, const Facts& facts, Headers& out) const {
  write_set(x, out);
  write_trace(x, out);
  const bool whole = facts.for_cache && facts.for_cache->whole;
  if (facts.passes_client) write_clients(x, whole, out);
  if (whole) write_conditions(*facts.for_cache, out);
}

// HTTP/2 by Upgrade would pass behind the back of everything that looks at requests here.
template <class Out>
bool RequestFields::write_set(Exchange& x, Out& out) const {
  constexpr bool http2 = std::is_same_v<Out, Headers>;
  bool upgrades = false;
  for (const SetField& field : set_) {
    if (http2 && is_of_http1(field.id)) continue;
    const std::string value = field.value.eval(x);
    if (value.empty() || (http2 && field.id == FieldId::te && !equals_ignoring_case(value, "trailers"))) continue;
    if (field.id == FieldId::upgrade) {
      if (names_token(value, "h2c")) continue;
      upgrades = true;
    }
    append_line(out, field.name, value);
  }
  return upgrades;
}

bool RequestFields::passes_websocket(Exchange& x) const {
  if (!asks_for_websocket(x)) return false;
  if (!sets_upgrade_) return true;
  return std::any_of(set_.begin(), set_.end(), [&](const SetField& field) {
    return field.id == FieldId::upgrade && equals_ignoring_case(field.value.eval(x), "websocket");
  });
}

// A WebSocket opens without two lines of configuration, too.
bool RequestFields::write_websocket(const Exchange& x, std::string& out) const {
  if (!asks_for_websocket(x)) return false;
  out += "Upgrade: websocket\r\nConnection: upgrade\r\n";
  return true;
}

// The client's context goes no further as it is: we are a span of the trace.
template <class Out>
void RequestFields::write_trace(Exchange& x, Out& out) const {
  const TraceContext* const trace = trace_context(x);
  if (!trace) return;
  if (!names_.contains("traceparent")) append_line(out, "traceparent", trace->traceparent());
  if (!names_.contains("tracestate") && !trace->state.empty()) append_line(out, "tracestate", trace->state);
}

template <class Out>
void RequestFields::write_conditions(const ForCache& asked, Out& out) const {
  if (!asked.modified_since.empty() && !names_.contains("if-modified-since")) append_line(out, "If-Modified-Since", asked.modified_since);
  if (!asked.none_match.empty() && !names_.contains("if-none-match")) append_line(out, "If-None-Match", asked.none_match);
}

template <class Out>
void RequestFields::write_clients(Exchange& x, bool whole, Out& out) const {
  const bool traced = trace_context(x);
  const EndedFields ended(x.request.headers);
  for (const Field& field : x.request.headers.all()) {
    if (stays_here(field.id) || (whole && asks_for_part(field.id))) continue;
    if (!names_.empty() && names_.contains(lower(field.name))) continue;
    if (ended.has(field) || (traced && is_of_trace(field.name))) continue;
    append_line(out, field.name, field.value);
  }
}

}  // namespace seawall
