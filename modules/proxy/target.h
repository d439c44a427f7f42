// Whom proxy_pass names, and the URI that is asked for there. Made at start-up, used on any loop.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "seawall/module/module.h"
#include "seawall/upstream/group.h"

namespace seawall::proxy {

// One request's: from the configuration, or from what variables have become.
class Destination {
 public:
  std::shared_ptr<const Group> group;  // null: `url` is to be looked up
  std::optional<UpstreamUrl> url;      // that variables have become
  bool tls = false;
  std::string host;          // for the Host field
  std::string key_host;      // for a cache's key: the same, but of a unix socket its path
  std::string name;          // of the server, for TLS
  std::string port;          // $proxy_port
  std::string uri;           // the request target
};

class Target {
 public:
  // ConfigError in nginx's words.
  explicit Target(const Invocation& in);

  // Nothing after a line in the log; `status` then answers.
  std::optional<Destination> of(Exchange& x, int& status) const;

  bool may_use_tls() const { return tls_ || has_variables(); }
  bool has_variables() const { return !text_.is_literal(); }
  const std::string& text() const { return text_.source(); }
  const std::string& uri() const { return url_.uri; }
  const std::string& location() const { return location_; }  // its name, which the URI takes the place of; empty: none

 private:
  std::optional<Destination> evaluated(Exchange& x, int& status) const;

  Template text_;
  bool tls_ = false;
  UpstreamUrl url_;
  std::string host_, key_host_, port_;  // of it, as Destination has them
  std::string location_;
  std::shared_ptr<const Group> group_;
};

}  // namespace seawall::proxy
