#include "seawall/http/uri.h"

#include <arpa/inet.h>

#include <algorithm>

#include "seawall/base/bytes.h"
#include "seawall/base/text.h"

namespace seawall {
namespace {

constexpr bool is_control(char c) { return static_cast<unsigned char>(c) < 0x21 || c == 0x7f; }
constexpr ByteSet kTarget([](char c) { return !is_control(c); });

// Most paths are plain: nothing to decode, no dots or doubled slashes to resolve.
bool is_plain(std::string_view raw) {
  char before = 0;
  for (char c : raw) {
    if (c == '%' || is_control(c)) return false;
    if (before == '/' && (c == '/' || c == '.')) return false;
    before = c;
  }
  return true;
}

// Appends a segment's end: "." and ".." are resolved when the slash (or the end) behind them comes.
bool close_segment(std::string& path, std::size_t segment, bool slash) {
  const std::string_view last(path.data() + segment, path.size() - segment);
  if (last == ".") {
    path.resize(segment);
    return true;
  }
  if (last == "..") {
    if (segment <= 1) return false;  // above the root
    path.resize(path.rfind('/', segment - 2) + 1);
    return true;
  }
  if (slash) path += '/';
  return true;
}

std::string_view cut_scheme(std::string_view target) {
  for (std::string_view scheme : {"http://", "https://"})
    if (target.size() > scheme.size() && equals_ignoring_case(target.substr(0, scheme.size()), scheme)) return target.substr(scheme.size());
  return {};
}

constexpr ByteSet kHost([](char c) {
  return is_alpha(c) || is_digit(c) || std::string_view("-._~!$&'()*+,;=").find(c) != std::string_view::npos;
});

bool is_ipv6_literal(std::string_view host) {
  if (host.size() < 4 || host.front() != '[' || host.back() != ']') return false;
  if (host.find('\0') != std::string_view::npos) return false;
  in6_addr address;
  return ::inet_pton(AF_INET6, std::string(host.substr(1, host.size() - 2)).c_str(), &address) == 1;
}

// [v1.name:x]: an address of a kind that is still to come (RFC 3986 3.2.2), taken as a name.
bool is_ipvfuture_literal(std::string_view host) {
  if (host.size() < 6 || to_lower(host[1]) != 'v' || host.back() != ']') return false;
  const std::string_view inner = host.substr(2, host.size() - 3);
  const auto dot = inner.find('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == inner.size()) return false;
  const auto is_hex = [](char c) { return hex_value(c) >= 0; };
  const auto is_rest = [](char c) { return kHost.has(c) || c == ':'; };
  return std::all_of(inner.begin(), inner.begin() + static_cast<std::ptrdiff_t>(dot), is_hex) &&
         std::all_of(inner.begin() + static_cast<std::ptrdiff_t>(dot) + 1, inner.end(), is_rest);
}

bool is_port(std::string_view text) {
  std::uint32_t number = 0;
  for (const char c : text) {
    if (!is_digit(c)) return false;
    number = number * 10 + static_cast<std::uint32_t>(c - '0');
    if (number > 65535) return false;
  }
  return true;
}

// A name or an IPv4 address: in lower case, without a final dot; no label is empty.
Result<std::string> parse_name(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.empty()) return Errc::bad_request;
  std::string name(host);
  char before = '.';
  for (char& c : name) {
    if (!kHost.has(c) || (c == '.' && before == '.')) return Errc::bad_request;
    before = c;
    c = to_lower(c);
  }
  if (before == '.') return Errc::bad_request;
  return name;
}

}  // namespace

Result<std::string> normalize_path(std::string_view raw, bool merge_slashes) {
  if (raw.empty() || raw[0] != '/') return Errc::bad_request;
  if (is_plain(raw)) return std::string(raw);
  std::string path = "/";
  path.reserve(raw.size());
  std::size_t segment = 1;  // where the present segment begins
  for (std::size_t i = 1; i < raw.size(); ++i) {
    char c = raw[i];
    if (c == '%') {
      if (i + 2 >= raw.size()) return Errc::bad_request;
      const int high = hex_value(raw[i + 1]), low = hex_value(raw[i + 2]);
      if (high < 0 || low < 0) return Errc::bad_request;
      c = static_cast<char>(high << 4 | low);
      i += 2;
      if (c == 0) return Errc::bad_request;
    } else if (is_control(c)) {
      return Errc::bad_request;
    }
    if (c != '/') {
      path += c;
      continue;
    }
    if (merge_slashes && path.size() == segment) continue;  // an empty segment
    if (!close_segment(path, segment, true)) return Errc::bad_request;
    segment = path.size();
  }
  if (!close_segment(path, segment, false)) return Errc::bad_request;
  return path;
}

Result<std::string> parse_host(std::string_view authority) {
  std::string_view host = authority, port;
  const auto bracket = authority.starts_with('[') ? authority.find(']') : std::string_view::npos;
  const auto colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon != std::string_view::npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon + 1);
    if (!port.empty() && !is_port(port)) return Errc::bad_request;
  }
  if (host.starts_with('[')) {
    if (!is_ipv6_literal(host) && !is_ipvfuture_literal(host)) return Errc::bad_request;
    return lower(host);
  }
  return parse_name(host);
}

Result<void> parse_target(RequestHead& head, bool merge_slashes) {
  std::string_view rest = head.target;
  if (!kTarget.has_all(rest)) return Errc::bad_request;
  if (head.method == Method::connect) {
    if (rest.find(':') == std::string_view::npos || rest.find('#') != std::string_view::npos) return Errc::bad_request;
    head.authority = rest;
    head.raw_path = head.path = "/";
    return {};
  }
  // A fragment is the client's own affair (RFC 9110 7.1). nginx cuts it off, too, but forwards it: nobody here sees it.
  head.target = rest = rest.substr(0, rest.find('#'));
  if (rest == "*") {
    if (head.method != Method::options) return Errc::bad_request;
    head.raw_path = head.path = "*";
    return {};
  }
  if (!rest.starts_with('/')) {
    rest = cut_scheme(rest);
    const auto end = std::min(rest.find_first_of("/?"), rest.size());
    head.authority = rest.substr(0, end);
    if (head.authority.empty()) return Errc::bad_request;
    rest.remove_prefix(end);
  }
  const auto question = rest.find('?');
  head.raw_path = rest.substr(0, question);
  if (head.raw_path.empty()) head.raw_path = "/";
  if (question != std::string_view::npos) {
    head.has_args = true;
    head.args = rest.substr(question + 1);
  }
  Result<std::string> path = normalize_path(head.raw_path, merge_slashes);
  if (!path) return path.error();
  head.path = std::move(*path);
  return {};
}

std::string escape_uri(std::string_view path) {
  static constexpr char hex[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(path.size());
  for (char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || c == '"' || c == '#' || c == '%' || c == '<' || c == '>' || c == '?' || c == '\\' ||
        c == '^' || c == '`' || c == '{' || c == '|' || c == '}') {
      out += '%';
      out += hex[byte >> 4];
      out += hex[byte & 15];
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace seawall
