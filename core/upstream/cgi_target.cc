#include "seawall/upstream/cgi_target.h"

#include "seawall/base/text.h"
#include "seawall/config/binder.h"
#include "seawall/server/core_blocks.h"
#include "seawall/server/exchange.h"
#include "seawall/upstream/resolver_module.h"

namespace seawall {

std::string_view CgiTarget::without_scheme(std::string_view text, CgiTls& tls) const {
  const auto begins = [text](std::string_view scheme) { return !scheme.empty() && equals_ignoring_case(text.substr(0, scheme.size()), scheme); };
  tls.on = begins(tls_scheme_);
  if (tls.on) return text.substr(tls_scheme_.size());
  return begins(scheme_) ? text.substr(scheme_.size()) : text;
}

CgiTarget::CgiTarget(const Invocation& in, std::string_view scheme, std::string_view tls_scheme)
    : scheme_(scheme), tls_scheme_(tls_scheme), text_(in.compile(in.arg(0))) {
  if (Location* location = location_of(in); location && location->name.ends_with('/')) location->auto_redirect = true;
  if (!text_.is_literal()) return;
  std::string error;
  const UpstreamUrl url = UpstreamUrl::parse(without_scheme(text_.source(), tls_), 0, error);
  tls_.name = url.host;
  if (error.empty() && !url.uri.empty()) error = "invalid host";
  if (!error.empty()) throw ConfigError(error + " in upstream \"" + text_.source() + "\"");
  group_ = refer_to_group(in, url);
  if (url.is_unix || url.has_port) return;
  // Without a port it is an upstream's name, or nothing.
  in.binder.at_end([group = group_, text = text_.source(), place = in.node.place] {
    if (!group->is_block) throw ConfigError("no port in upstream \"" + text + "\"", place);
  });
}

Task<std::shared_ptr<const Group>> CgiTarget::look_up(Exchange& x, int& status, CgiTls* tls) const {
  const std::string text = text_.eval(x);
  std::string error;
  CgiTls found;
  const UpstreamUrl url = UpstreamUrl::parse(without_scheme(text, found), 0, error);
  found.name = url.host;
  if (tls) *tls = std::move(found);
  status = 500;
  if (!error.empty()) {
    x.log(Level::error, error + " in upstream \"" + text + "\"");
    co_return nullptr;
  }
  status = 502;
  co_return co_await find_group(x, url);
}

}  // namespace seawall
