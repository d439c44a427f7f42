// $upstream_* and what the proxy says of whom it asks. A list of values where several servers were asked: ", " between those of
// one handler, " : " between handlers. Any loop.
#include <charconv>

#include "seawall/base/text.h"
#include "seawall/net/loop.h"
#include "seawall/server/exchange.h"
#include "seawall/upstream/upstream_module.h"

namespace seawall {
namespace {

void append_number(std::uint64_t value, std::string& out) {
  char text[24];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

void append_seconds(std::int64_t nanoseconds, std::string& out) {
  const auto ms = static_cast<std::uint64_t>(nanoseconds / 1'000'000);
  append_number(ms / 1000, out);
  const auto rest = static_cast<unsigned>(ms % 1000);
  const char decimals[] = {'.', static_cast<char>('0' + rest / 100), static_cast<char>('0' + rest / 10 % 10),
                           static_cast<char>('0' + rest % 10)};
  out.append(decimals, sizeof decimals);
}

template <class Append>
bool list(Exchange& x, std::string& out, Append append) {
  const auto& attempts = Attempts::of(x).all;
  bool first = true, behind_gap = false;
  for (const Attempt& attempt : attempts) {
    if (attempt.peer.empty()) {
      out += " : ";
      behind_gap = true;
      continue;
    }
    if (!first && !behind_gap) out += ", ";
    append(attempt);
    first = behind_gap = false;
  }
  return !attempts.empty();
}

bool address(Exchange& x, std::string_view, const void*, std::string& out) {
  return list(x, out, [&](const Attempt& a) { out += a.peer; });
}

bool status(Exchange& x, std::string_view, const void*, std::string& out) {
  return list(x, out, [&](const Attempt& a) {
    if (a.status) append_number(static_cast<std::uint64_t>(a.status), out);
    else out += '-';
  });
}

template <std::int64_t Attempt::*Time>
bool time(Exchange& x, std::string_view, const void*, std::string& out) {
  return list(x, out, [&](const Attempt& a) {
    std::int64_t value = a.*Time;
    if (Time == &Attempt::response_time) {
      const Attempts& attempts = Attempts::of(x);
      if (value < 0) value = x.loop.now() - a.started;  // it goes on
      if (x.status == 0 && attempts.answers && &a == &attempts.all.back()) value = -1;  // nobody knows before it is sent
    }
    if (value >= 0) append_seconds(value, out);
    else out += '-';
  });
}

template <std::uint64_t Attempt::*Size>
bool bytes(Exchange& x, std::string_view, const void*, std::string& out) {
  return list(x, out, [&](const Attempt& a) { append_number(a.*Size, out); });
}

bool same_name(std::string_view field, std::string_view name) {
  if (field.size() != name.size()) return false;
  for (std::size_t i = 0; i < field.size(); ++i)
    if ((field[i] == '-' ? '_' : to_lower(field[i])) != name[i]) return false;
  return true;
}

bool find_fields(const Headers& headers, std::string_view name, std::string& out) {
  bool found = false;
  for (const Field& field : headers.all()) {
    if (!same_name(field.name, name)) continue;
    if (found) out += ", ";
    out += field.value;
    found = true;
  }
  return found;
}

bool field(Exchange& x, std::string_view rest, const void*, std::string& out) {
  return find_fields(Attempts::of(x).head.headers, rest, out);
}

bool trailer(Exchange& x, std::string_view rest, const void*, std::string& out) {
  return find_fields(Attempts::of(x).trailers, rest, out);
}

// The value of the cookie that a Set-Cookie field sets.
bool cookie(Exchange& x, std::string_view rest, const void*, std::string& out) {
  for (const Field& set : Attempts::of(x).head.headers.all()) {
    if (set.id != FieldId::set_cookie) continue;
    const std::string_view pair = set.value.substr(0, set.value.find(';'));
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos || !equals_ignoring_case(trim(pair.substr(0, equals)), rest)) continue;
    out += trim(pair.substr(equals + 1));
    return true;
  }
  return false;
}

bool cache_status(Exchange& x, std::string_view, const void*, std::string& out) {
  const char* const text = Attempts::of(x).cache_status;
  if (text) out += text;
  return text != nullptr;
}

template <std::string Attempts::*Text>
bool cache_text(Exchange& x, std::string_view, const void*, std::string& out) {
  const std::string& text = Attempts::of(x).*Text;
  out += text;
  return !text.empty();
}

bool proxy_host(Exchange& x, std::string_view, const void*, std::string& out) {
  out += Attempts::of(x).host;
  return !Attempts::of(x).host.empty();
}

bool proxy_port(Exchange& x, std::string_view, const void*, std::string& out) {
  out += Attempts::of(x).port;
  return !Attempts::of(x).port.empty();
}

bool add_x_forwarded_for(Exchange& x, std::string_view, const void*, std::string& out) {
  for (const Field& f : x.request.headers.all())
    if (f.id == FieldId::x_forwarded_for) out.append(f.value).append(", ");
  out += x.connection.remote.text();
  return true;
}

constexpr VariableRow rows[] = {
    {"upstream_addr", address},
    {"upstream_status", status},
    {"upstream_connect_time", time<&Attempt::connect_time>},
    {"upstream_header_time", time<&Attempt::header_time>},
    {"upstream_response_time", time<&Attempt::response_time>},
    {"upstream_response_length", bytes<&Attempt::response_length>},
    {"upstream_bytes_received", bytes<&Attempt::bytes_received>},
    {"upstream_bytes_sent", bytes<&Attempt::bytes_sent>},
    {"upstream_http_*", field},
    {"upstream_trailer_*", trailer},
    {"upstream_cookie_*", cookie},
    {"upstream_cache_status", cache_status},
    {"upstream_cache_last_modified", cache_text<&Attempts::cache_last_modified>},
    {"upstream_cache_etag", cache_text<&Attempts::cache_etag>},
    {"proxy_host", proxy_host},
    {"proxy_port", proxy_port},
    {"proxy_add_x_forwarded_for", add_x_forwarded_for},
};

}  // namespace

const std::span<const VariableRow> UpstreamModule::variables = rows;

Attempts& Attempts::of(Exchange& x) { return x.state<UpstreamModule>(); }

}  // namespace seawall
