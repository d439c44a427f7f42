#include "target.h"

#include "seawall/base/text.h"
#include "seawall/config/binder.h"
#include "seawall/server/core_blocks.h"

namespace seawall::grpc {
namespace {

bool cut(std::string_view& text, std::string_view scheme) {
  if (text.size() < scheme.size() || !equals_ignoring_case(text.substr(0, scheme.size()), scheme)) return false;
  text.remove_prefix(scheme.size());
  return true;
}

}  // namespace

Destination Target::parse(std::string_view text, std::string& error) {
  Destination to;
  to.tls = cut(text, "grpcs://");
  if (!to.tls) cut(text, "grpc://");
  to.url = UpstreamUrl::parse(text, 0, error);
  if (error.empty() && !to.url.uri.empty()) error = "invalid host";
  to.authority = to.url.host_field(0);
  return to;
}

Target::Target(const Invocation& in) : text_(in.compile(in.arg(0))) {
  if (Location* location = location_of(in); location && location->name.ends_with('/')) location->auto_redirect = true;
  if (!text_.is_literal()) return;
  std::string error;
  fixed_ = parse(text_.source(), error);
  if (!error.empty()) throw ConfigError(error + " in upstream \"" + text_.source() + "\"");
  fixed_.group = refer_to_group(in, fixed_.url);
  if (fixed_.url.is_unix || fixed_.url.has_port) return;
  // Without a port it is an upstream's name, or nothing.
  in.binder.at_end([group = fixed_.group, text = text_.source(), place = in.node.place] {
    if (!group->is_block) throw ConfigError("no port in upstream \"" + text + "\"", place);
  });
}

std::optional<Destination> Target::of(Exchange& x) const {
  if (text_.is_literal()) return fixed_;
  const std::string text = text_.eval(x);
  std::string error;
  Destination to = parse(text, error);
  if (error.empty()) return to;
  x.log(Level::error, error + " in upstream \"" + text + "\"");
  return std::nullopt;
}

}  // namespace seawall::grpc
