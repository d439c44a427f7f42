#include "target.h"

#include "seawall/base/text.h"
#include "seawall/http/uri.h"
#include "seawall/server/core_blocks.h"
#include "seawall/upstream/request_target.h"

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
  host_ = url_.host_field(default_port(tls_));
  key_host_ = key_host_of(url_, host_);
  port_ = port_text(url_, tls_);
}

std::optional<Destination> Target::of(Exchange& x, int& status) const {
  if (has_variables()) return evaluated(x, status);
  std::optional<Destination> found(std::in_place);
  Destination& to = *found;
  to.group = group_;
  to.tls = tls_;
  to.host = host_;
  to.key_host = key_host_;
  to.name = url_.host;
  to.port = port_;
  if (url_.uri.empty() || x.uri_changed_here) {
    to.uri = passed_target(x);
    return found;
  }
  to.uri = url_.uri;
  to.uri += escape_uri(std::string_view(x.uri).substr(std::min(location_.size(), x.uri.size())));
  if (!x.args.empty()) to.uri.append("?").append(x.args);
  to.uri = as_target(to.uri);
  return found;
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
  if (url.uri.empty()) to.uri = passed_target(x);
  else to.uri = as_target((url.uri.front() == '?' ? "/" : "") + url.uri);
  to.url = url;
  return to;
}

}  // namespace seawall::proxy
