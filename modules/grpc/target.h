// Whom grpc_pass names: grpc://host:port, grpcs://host:port, either without its scheme (grpc://), unix:/path, an upstream; or a text
// with variables that becomes one of these. Made at start-up, used on any loop.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "seawall/module/module.h"
#include "seawall/upstream/group.h"

namespace seawall::grpc {

// One request's.
class Destination {
 public:
  std::shared_ptr<const Group> group;  // null: `url` is to be looked up
  UpstreamUrl url;
  bool tls = false;
  std::string authority;               // as written
};

class Target {
 public:
  // ConfigError in nginx's words.
  explicit Target(const Invocation& in);
  // Nothing after a line in the log: 500.
  std::optional<Destination> of(Exchange& x) const;
  bool may_use_tls() const { return !text_.is_literal() || fixed_.tls; }

 private:
  static Destination parse(std::string_view text, std::string& error);
  Template text_;
  Destination fixed_;
};

}  // namespace seawall::grpc
