#include "target.h"

#include "seawall/base/text.h"
#include "seawall/http/uri.h"
#include "seawall/server/core_blocks.h"

namespace seawall::proxy {
namespace {

// "http://" or "https://", cut off; nothing: neither.
std::optional<bool> cut_scheme(std::string_view& text) {
  for (const auto& [scheme, tls] : {std::pair<std::string_view, bool>{"http://", false}, {"https://", true}}) {
    if (text.size() < scheme.size() || !equals_ignoring_case(text.substr(0, scheme.size()), scheme)) continue;
    text.remove_prefix(scheme.size());
    return tls;
  }
  return std::nullopt;
}

std::uint16_t default_port(bool tls) { return tls ? 443 : 80; }

// What would end the request line, or hide in it, is escaped: a variable may hold decoded text.
std::string as_target(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte != 0x7f) out += c;
    else out.append({'%', digits[byte >> 4], digits[byte & 15]});
  }
  return out;
}

// As the client has sent it, unless something here has changed it since.
std::string passed_on(const Exchange& x) {
  std::string uri = x.internal ? escape_uri(x.uri) : std::string(x.request.raw_path);
  if (!uri.starts_with('/')) uri.insert(0, 1, '/');  // after a rewrite to "name"; nothing else is a path (RFC 9112 3.2.1)
  const bool raw_args = !x.internal && x.args == x.request.args;
  if (!x.args.empty() || (raw_args && x.request.has_args)) uri.append("?").append(x.args);
  return as_target(uri);
}

std::string port_text(const UpstreamUrl& url, bool tls) {
  if (url.is_unix) return {};
  return std::to_string(url.has_port ? url.port : default_port(tls));
}

std::string key_host_of(const UpstreamUrl& url, const std::string& host) { return url.is_unix ? "unix:" + url.host + ":" : host; }

}  // namespace

Target::Target(const Invocation& in) : text_(in.compile(in.arg(0))) {
  const Location* location = location_of(in);
  if (location && location->name.ends_with('/')) location_of(in)->auto_redirect = true;
  if (has_variables()) return;
  std::string_view text = text_.source();
  const auto tls = cut_scheme(text);
  if (!tls) throw ConfigError("invalid URL prefix");
  tls_ = *tls;
  std::string error;
  url_ = UpstreamUrl::parse(text, default_port(tls_), error);
  if (!error.empty()) throw ConfigError(error + " in upstream \"" + std::string(text) + "\"");
  const bool by_prefix = location && location->kind != Location::Kind::regex && location->kind != Location::Kind::named;
  if (!url_.uri.empty() && !by_prefix)
    throw ConfigError("\"proxy_pass\" cannot have URI part in location given by regular expression, or inside named location, or inside "
                      "\"if\" statement, or inside \"limit_except\" block");
  if (by_prefix) location_ = location->name;
  group_ = refer_to_group(in, url_);
}

std::optional<Destination> Target::of(Exchange& x, int& status) const {
  if (has_variables()) return evaluated(x, status);
  Destination to;
  to.group = group_;
  to.tls = tls_;
  to.host = url_.host_field(default_port(tls_));
  to.key_host = key_host_of(url_, to.host);
  to.name = url_.host;
  to.port = port_text(url_, tls_);
  if (url_.uri.empty() || x.uri_changed_here) {
    to.uri = passed_on(x);
    return to;
  }
  to.uri = url_.uri;
  to.uri += escape_uri(std::string_view(x.uri).substr(std::min(location_.size(), x.uri.size())));
  if (!x.args.empty()) to.uri.append("?").append(x.args);
  to.uri = as_target(to.uri);
  return to;
}

std::optional<Destination> Target::evaluated(Exchange& x, int& status) const {
  const std::string whole = text_.eval(x);
  std::string_view text = whole;
  const auto tls = cut_scheme(text);
  status = 500;
  if (!tls) {
    x.log(Level::error, "invalid URL prefix in \"" + whole + "\"");
    return std::nullopt;
  }
  std::string error;
  const UpstreamUrl url = UpstreamUrl::parse(text, default_port(*tls), error);
  if (!error.empty()) {
    x.log(Level::error, error + " in upstream \"" + std::string(text) + "\"");
    return std::nullopt;
  }
  Destination to;
  to.tls = *tls;
  to.host = url.host_field(default_port(*tls));
  to.key_host = key_host_of(url, to.host);
  to.name = url.host;
  to.port = port_text(url, *tls);
  if (url.uri.empty()) to.uri = passed_on(x);
  else to.uri = as_target((url.uri.front() == '?' ? "/" : "") + url.uri);
  to.url = url;
  return to;
}

}  // namespace seawall::proxy
