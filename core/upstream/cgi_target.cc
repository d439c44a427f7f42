#include "seawall/upstream/cgi_target.h"

#include "seawall/config/binder.h"
#include "seawall/server/core_blocks.h"
#include "seawall/server/exchange.h"
#include "seawall/upstream/resolver_module.h"

namespace seawall {

std::string_view CgiTarget::without_scheme(std::string_view text) const {
  return text.starts_with(scheme_) ? text.substr(scheme_.size()) : text;
}

CgiTarget::CgiTarget(const Invocation& in, std::string_view scheme) : scheme_(scheme), text_(in.compile(in.arg(0))) {
  if (Location* location = location_of(in); location && location->name.ends_with('/')) location->auto_redirect = true;
  if (!text_.is_literal()) return;
  std::string error;
  const UpstreamUrl url = UpstreamUrl::parse(without_scheme(text_.source()), 0, error);
  if (error.empty() && !url.uri.empty()) error = "invalid host";
  if (!error.empty()) throw ConfigError(error + " in upstream \"" + text_.source() + "\"");
  group_ = refer_to_group(in, url);
  if (url.is_unix || url.has_port) return;
  // Without a port it is an upstream's name, or nothing.
  in.binder.at_end([group = group_, text = text_.source(), place = in.node.place] {
    if (!group->is_block) throw ConfigError("no port in upstream \"" + text + "\"", place);
  });
}

Task<std::shared_ptr<const Group>> CgiTarget::look_up(Exchange& x, int& status) const {
  const std::string text = text_.eval(x);
  std::string error;
  const UpstreamUrl url = UpstreamUrl::parse(without_scheme(text), 0, error);
  status = 500;
  if (!error.empty()) {
    x.log(Level::error, error + " in upstream \"" + text + "\"");
    co_return nullptr;
  }
  status = 502;
  co_return co_await find_group(x, url);
}

}  // namespace seawall
