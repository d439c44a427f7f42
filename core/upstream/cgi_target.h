// Whom fastcgi_pass and its kin name: an address, an upstream, or a text with variables. Made at start-up, used on any loop.
#pragma once
#include <memory>

#include "seawall/async/task.h"
#include "seawall/config/directive.h"
#include "seawall/upstream/group.h"

namespace seawall {

// Whether it is spoken to over TLS, and the name that its certificate is for.
class CgiTls {
 public:
  bool on = false;
  std::string name;
};

class SEAWALL_API CgiTarget {
 public:
  // The directive's first argument, which may begin with `scheme`, or with `tls_scheme`. ConfigError in nginx's words. The location
  // answers with a redirect where the slash at its end is missing.
  explicit CgiTarget(const Invocation& in, std::string_view scheme = {}, std::string_view tls_scheme = {});
  // Null where the text has variables: look_up() finds it then.
  const std::shared_ptr<const Group>& known() const { return group_; }
  const CgiTls& tls() const { return tls_; }  // of the known one
  bool may_use_tls() const { return tls_.on || (!group_ && !tls_scheme_.empty()); }
  // Null after a line in the log; `status` then answers.
  Task<std::shared_ptr<const Group>> look_up(Exchange& x, int& status, CgiTls* tls = nullptr) const;

 private:
  std::string_view without_scheme(std::string_view text, CgiTls& tls) const;

  const std::string_view scheme_, tls_scheme_;
  Template text_;
  std::shared_ptr<const Group> group_;  // null: the text has variables
  CgiTls tls_;
};

}  // namespace seawall
