// Whom fastcgi_pass and its kin name: an address, an upstream, or a text with variables. Made at start-up, used on any loop.
#pragma once
#include <memory>

#include "seawall/async/task.h"
#include "seawall/config/directive.h"
#include "seawall/upstream/group.h"

namespace seawall {

class SEAWALL_API CgiTarget {
 public:
  // The directive's first argument, which may begin with `scheme`. ConfigError in nginx's words. The location answers with a
  // redirect where the slash at its end is missing.
  explicit CgiTarget(const Invocation& in, std::string_view scheme = {});
  // Null where the text has variables: look_up() finds it then.
  const std::shared_ptr<const Group>& known() const { return group_; }
  // Null after a line in the log; `status` then answers.
  Task<std::shared_ptr<const Group>> look_up(Exchange& x, int& status) const;

 private:
  std::string_view without_scheme(std::string_view text) const;

  const std::string_view scheme_;
  Template text_;
  std::shared_ptr<const Group> group_;  // null: the text has variables
};

}  // namespace seawall
